package main

import (
	"testing"

	"github.com/peerexchange/peerexchange/test/publicroots"
)

func TestTrustsPublicAuthorities(t *testing.T) { publicroots.Test(t) }
