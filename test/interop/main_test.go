//go:build interop

package interop

import (
	"os"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
	"github.com/peerexchange/peerexchange/test/localseed"
)

// What all tests share.
var (
	authority *localseed.Authority
	lab       *clients.Lab

	inGo, inNode, inTab clients.Maker

	// both are the kinds of which tables try every combination.
	both []clients.Maker
)

func TestMain(m *testing.M) {
	os.Exit(localseed.Main(m, "", func(a *localseed.Authority, l *clients.Lab) error {
		authority, lab = a, l
		inGo, inNode, inTab = lab.InGo(), lab.InNode(), lab.InTab()
		both = []clients.Maker{inGo, inNode}
		// Nodes that verify a name do so by the system's roots, here and in the seeds that are started.
		return os.Setenv("SSL_CERT_FILE", authority.CAFile)
	}))
}
