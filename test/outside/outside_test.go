//go:build interop

package outside

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
	"github.com/peerexchange/peerexchange/test/localseed"
)

var (
	authority *localseed.Authority
	lab       *clients.Lab
)

const networkID = "outside"

func TestMain(m *testing.M) {
	os.Exit(localseed.Main(m, networkID, func(a *localseed.Authority, l *clients.Lab) error {
		authority, lab = a, l
		return nil
	}))
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
