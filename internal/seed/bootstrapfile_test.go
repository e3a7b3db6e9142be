package seed

import (
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// A seed serves a signed document so that its signature is good, and takes none
// whose signature is of something else.
func TestSignedBootstrapFile(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	document, err := exchange.SignBootstrap(exchange.Bootstrap{
		Network: t.Name(), Sequence: 7,
		Seeds: []exchange.BootstrapSeed{{Name: "seed-0", Addresses: []string{"wss://seed-0.example"}, TURN: []string{"stun:seed-0.example:3478"}}},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(t)
	cfg.Listen, cfg.SeedName = "127.0.0.1:0", "seed-0"
	cfg.BootstrapFile = writeFile(t, string(document))
	s := startSeed(t, cfg)
	client, base := s.client(t)
	source := exchange.BootstrapSource{URL: base, Key: key.Public().(ed25519.PublicKey), Network: t.Name(), Client: client}
	b, err := source.Fetch(t.Context())
	if err != nil || b.Sequence != 7 || len(b.Addresses()) != 1 {
		t.Fatalf("got %+v, %v", b, err)
	}
	served, err := json.Marshal(s.served())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"network":"` + t.Name() + `"`, `"turn":["stun:seed-0.example:3478"]`, `"agent":"peerexchange-seed/test"`} {
		if !strings.Contains(string(served), want) {
			t.Errorf("%s has no %s", served, want)
		}
	}
	changed := strings.Replace(string(document), "seed-0.example", "seed-9.example", 1)
	if err := s.bootstrap.replace([][]byte{[]byte(changed)}); err == nil || !strings.Contains(err.Error(), "sign it anew") {
		t.Errorf("a document that says other than it signs was taken over: %v", err)
	}
}
