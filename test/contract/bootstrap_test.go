package contract

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/seed"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

var signingKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// document is what the operator publishes.
func document(t *testing.T, network string, seeds ...v1.SeedStatus) []byte {
	t.Helper()
	publication, err := plan.Publish(plan.Publishing{Network: network, Seeds: seeds, Key: signingKey})
	if err != nil {
		t.Fatal(err)
	}
	return publication.Signed
}

// A seed serves the bootstrap document that the operator publishes, and clients verify
// it with the operator's key.
func TestBootstrapDocument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bootstrap.json")
	published := document(t, "demo", v1.SeedStatus{
		Name: "demo-seed-0", Ready: true, Reachable: true,
		Addresses: []string{"wss://192.0.2.1:443"}, TURNAddresses: []string{"stun:192.0.2.1:3478"},
	})
	if err := os.WriteFile(file, published, 0o600); err != nil {
		t.Fatal(err)
	}
	addresses := startSeed(t, seed.Config{
		NetworkID: "demo", ListenPlain: "127.0.0.1:0", SeedName: "demo-seed-1", BootstrapFile: file, StateDir: t.TempDir(),
	})
	i := slices.IndexFunc(addresses, func(address string) bool { return strings.HasPrefix(address, "ws://127.0.0.1:") })
	if i < 0 {
		t.Fatalf("the seed is at %q", addresses)
	}
	source := exchange.BootstrapSource{
		URL: "http" + strings.TrimPrefix(addresses[i], "ws"), Key: signingKey.Public().(ed25519.PublicKey), Network: "demo", MinSequence: 1,
	}
	got, err := source.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Sequence != 1 || len(got.Seeds) != 1 || got.Seeds[0].Name != "demo-seed-0" || !slices.Equal(got.Addresses(), []string{"wss://192.0.2.1:443"}) ||
		!slices.Equal(got.Seeds[0].TURN, []string{"stun:192.0.2.1:3478"}) {
		t.Errorf("%s is read as %+v", published, got)
	}
}
