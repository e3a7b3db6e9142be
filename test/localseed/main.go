package localseed

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/peerexchange/peerexchange/test/clients"
)

// Main runs a package's tests for its TestMain, with an authority and a lab whose nodes
// trust that and accept with its certificate. It returns the exit code of the process.
// Empty network gives each test a network of its own; prepare keeps what the tests need.
// Goroutines that are left over fail the package.
func Main(m *testing.M, network string, prepare func(*Authority, *clients.Lab) error) int {
	code, err := run(m, network, prepare)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func run(m *testing.M, network string, prepare func(*Authority, *clients.Lab) error) (code int, err error) {
	dir, err := os.MkdirTemp("", "authority-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	authority, err := NewAuthority(dir)
	if err != nil {
		return 0, err
	}
	lab, err := clients.NewLab(clients.Config{
		Network: network, CAFile: authority.CAFile, CertFile: authority.CertFile, KeyFile: authority.KeyFile,
	})
	if err != nil {
		return 0, err
	}
	if err := prepare(authority, lab); err != nil {
		return 0, err
	}
	code = m.Run()
	if err := lab.Close(); err != nil {
		return 0, err
	}
	return code, goleak.Find()
}
