package webrtc

import (
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports/transporttest"
)

func TestConformance(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Subject {
		transport := closeAtEnd(t, New(Config{}))
		return transporttest.Subject{Initiator: transport, Responder: transport}
	})
}
