//go:build interop

package interop

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

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
	os.Exit(run(m))
}

func run(m *testing.M) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "interop-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	if authority, err = localseed.NewAuthority(dir); err != nil {
		return fail(err)
	}
	// Nodes that verify a name do so by the system's roots, here and in the seeds that are started.
	if err := os.Setenv("SSL_CERT_FILE", authority.CAFile); err != nil {
		return fail(err)
	}
	lab, err = clients.NewLab(clients.Config{
		CAFile: authority.CAFile, CertFile: authority.CertFile, KeyFile: authority.KeyFile,
	})
	if err != nil {
		return fail(err)
	}
	inGo, inNode, inTab = lab.InGo(), lab.InNode(), lab.InTab()
	both = []clients.Maker{inGo, inNode}
	code := m.Run()
	if err := lab.Close(); err != nil {
		return fail(err)
	}
	if err := goleak.Find(); err != nil {
		return fail(err)
	}
	return code
}
