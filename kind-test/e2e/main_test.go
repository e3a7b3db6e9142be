//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

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
	log.SetLogger(logr.Discard()) // of the client; its errors come back from its calls
	os.Exit(m.Run())
}
