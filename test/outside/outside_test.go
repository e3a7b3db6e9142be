//go:build interop

package outside

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/peerexchange/peerexchange/test/clients"
	"github.com/peerexchange/peerexchange/test/localseed"
)

var (
	authority *localseed.Authority
	lab       *clients.Lab
)

const networkID = "outside"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "outside-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	if authority, err = localseed.NewAuthority(dir); err != nil {
		return fail(err)
	}
	if lab, err = clients.NewLab(clients.Config{Network: networkID, CAFile: authority.CAFile}); err != nil {
		return fail(err)
	}
	code := m.Run()
	if err := lab.Close(); err != nil {
		return fail(err)
	}
	if err := goleak.Find(); err != nil {
		return fail(err)
	}
	return code
}

// startSeeds runs two seeds as one network.
func startSeeds(t *testing.T) Network {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "mesh.secret")
	if err := os.WriteFile(secret, []byte("what only these two seeds know\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := Network{ID: networkID, CAFile: authority.CAFile, Lab: lab}
	flags := []string{"--turn-listen", "127.0.0.1:0", "--turn-relay-ip", "127.0.0.1", "--mesh-secret-file", secret}
	for range 2 {
		seed := authority.Start(t, networkID, flags...)
		plain, secure := seed.Plain, seed.Secure
		n.Seeds = append(n.Seeds, []string{
			fmt.Sprintf("wss://%s:%d", secure.Host, secure.Port), fmt.Sprintf("tls://%s:%d", secure.Host, secure.Port),
			fmt.Sprintf("ws://%s:%d", plain.Host, plain.Port),
		})
		flags = append(flags, "--mesh-peers", n.Seeds[0][1])
	}
	return n
}

// TestOnThisMachine runs what is for a cluster against two seeds here.
func TestOnThisMachine(t *testing.T) {
	n := startSeeds(t)
	t.Run("Meet", func(t *testing.T) { Meet(t, n) })
	t.Run("Programs", func(t *testing.T) { Programs(t, n) })
	t.Run("Relay", func(t *testing.T) { Relay(t, n) })
}
