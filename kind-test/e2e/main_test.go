//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/peerexchange/peerexchange/kind-test/cluster"
)

// kind is the cluster that tests run on.
var kind *cluster.Cluster

func TestMain(m *testing.M) {
	var err error
	if kind, err = cluster.FromEnvironment(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
