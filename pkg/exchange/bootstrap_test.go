package exchange

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

var (
	bootstrapKey    = ed25519.NewKeyFromSeed([]byte("a seed of thirty-two bytes, ok?!"))
	bootstrapPublic = bootstrapKey.Public().(ed25519.PublicKey)
)

func testBootstrap(sequence uint64) Bootstrap {
	return Bootstrap{Network: "demo", Sequence: sequence, Seeds: []BootstrapSeed{
		{Name: "seed-0", Addresses: []string{"wss://seed-0.example.org", "tls://192.0.2.1:8443"}, TURN: []string{"stun:192.0.2.1:3478"}},
		{Name: "seed-1", Addresses: []string{"wss://seed-1.example.org"}},
	}}
}

func signBootstrap(t testing.TB, b Bootstrap) []byte {
	t.Helper()
	document, err := SignBootstrap(b, bootstrapKey)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// goldenBootstrap is what other implementations can try themselves on.
const goldenBootstrap = `{"network":"demo","sequence":7,"seeds":[{"name":"seed-0","addresses":["wss://seed-0.example.org","tls://192.0.2.1:8443"],"turn":["stun:192.0.2.1:3478"]},{"name":"seed-1","addresses":["wss://seed-1.example.org"]}],"signed":{"payload":"eyJuZXR3b3JrIjoiZGVtbyIsInNlcXVlbmNlIjo3LCJzZWVkcyI6W3sibmFtZSI6InNlZWQtMCIsImFkZHJlc3NlcyI6WyJ3c3M6Ly9zZWVkLTAuZXhhbXBsZS5vcmciLCJ0bHM6Ly8xOTIuMC4yLjE6ODQ0MyJdLCJ0dXJuIjpbInN0dW46MTkyLjAuMi4xOjM0NzgiXX0seyJuYW1lIjoic2VlZC0xIiwiYWRkcmVzc2VzIjpbIndzczovL3NlZWQtMS5leGFtcGxlLm9yZyJdfV19","signature":"rpPPtChGNfkOhYKwhNKzn88RCGiUdFc4CIEqvtLgM7kKTiooPCBtHlevPVETUWDxhnC5PqEit1kyemNVzfCQDQ=="}}`

func TestSignedBootstrap(t *testing.T) {
	document := signBootstrap(t, testBootstrap(7))
	if got := strings.TrimSpace(string(document)); got != goldenBootstrap {
		t.Errorf("the document is\n%s, want\n%s", got, goldenBootstrap)
	}
	for name, key := range map[string]ed25519.PublicKey{"verified": bootstrapPublic, "not verified": nil} {
		b, err := ParseBootstrap(document, key)
		if err != nil {
			t.Fatal(err)
		}
		if b.Signed == nil {
			t.Fatalf("%s: the signature is gone", name)
		}
		b.Signed = nil
		if want := testBootstrap(7); !reflect.DeepEqual(*b, want) {
			t.Errorf("%s: got %+v, want %+v", name, *b, want)
		}
	}
	// A document goes through programs that read it and write it.
	var fields map[string]any
	if err := json.Unmarshal(document, &fields); err != nil {
		t.Fatal(err)
	}
	fields["agent"] = "seed/1"
	rewritten, _ := json.MarshalIndent(fields, "", "  ")
	if _, err := ParseBootstrap(rewritten, bootstrapPublic); err != nil {
		t.Errorf("written anew: %v", err)
	}
	// What counts is what was signed.
	tampered := []byte(strings.ReplaceAll(string(document), "seed-0.example.org", "evil-0.example.org"))
	b, err := ParseBootstrap(tampered, bootstrapPublic)
	if err != nil || b.Addresses()[0] != "wss://seed-0.example.org" {
		t.Errorf("with other plain fields: %+v, %v", b, err)
	}
	if _, err := ReadBootstrapFile(tampered); err == nil || !strings.Contains(err.Error(), "sign it anew") {
		t.Errorf("a document that says other than it signs was taken over: %v", err)
	}
}

func TestBootstrapSignatureIsRefused(t *testing.T) {
	document := signBootstrap(t, testBootstrap(7))
	change := func(f func(*Bootstrap)) []byte {
		b, err := ParseBootstrap(document, nil)
		if err != nil {
			t.Fatal(err)
		}
		f(b)
		changed, _ := json.Marshal(b)
		return changed
	}
	other, _ := json.Marshal(testBootstrap(8))
	for name, bad := range map[string][]byte{
		"unsigned":         change(func(b *Bootstrap) { b.Signed = nil }),
		"another payload":  change(func(b *Bootstrap) { b.Signed.Payload = other }),
		"one bit":          change(func(b *Bootstrap) { b.Signed.Payload[20] ^= 1 }),
		"a bit of the sig": change(func(b *Bootstrap) { b.Signed.Signature[3] ^= 1 }),
		"no sig":           change(func(b *Bootstrap) { b.Signed.Signature = nil }),
		"without prefix":   change(func(b *Bootstrap) { b.Signed.Signature = ed25519.Sign(bootstrapKey, b.Signed.Payload) }),
	} {
		if b, err := ParseBootstrap(bad, bootstrapPublic); b != nil || !errors.Is(err, ErrBootstrapSignature) {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
	stranger := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	if _, err := ParseBootstrap(document, stranger); !errors.Is(err, ErrBootstrapSignature) {
		t.Errorf("another key: %v", err)
	}
	if _, err := ParseBootstrap(document, stranger[:5]); err == nil {
		t.Error("half a key was taken")
	}
	if _, err := SignBootstrap(testBootstrap(1), bootstrapKey[:5]); err == nil {
		t.Error("signed with half a key")
	}
}

func TestBootstrapBounds(t *testing.T) {
	with := func(seeds ...BootstrapSeed) Bootstrap { return Bootstrap{Network: "demo", Seeds: seeds} }
	for name, c := range map[string]struct {
		document Bootstrap
		says     string
		reads    bool // by clients
	}{
		"no network":         {Bootstrap{}, "network", false},
		"too many seeds":     {with(make([]BootstrapSeed, maxBootstrapSeeds+1)...), "1000 seeds", false},
		"too many addresses": {with(BootstrapSeed{Name: "a", Addresses: make([]string, maxBootstrapAddresses+1)}), "16 addresses", false},
		"no address":         {with(BootstrapSeed{Name: "a", Addresses: []string{"https://a"}}), "wss://", true},
		"a token":            {with(BootstrapSeed{Name: "a", Addresses: []string{"wss://a?token=t"}}), "token", true},
		"too long":           {with(BootstrapSeed{Name: strings.Repeat("a", maxBootstrapBytes)}), "bytes", false},
		"no room for a seed": {with(BootstrapSeed{Name: strings.Repeat("a", maxSignedBytes)}), "bytes", true},
	} {
		plain, _ := json.Marshal(c.document)
		if _, err := ReadBootstrapFile(plain); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: published, or the error %v does not say %q", name, err, c.says)
		}
		if _, err := SignBootstrap(c.document, bootstrapKey); err == nil {
			t.Errorf("%s: signed", name)
		}
		b, err := ParseBootstrap(plain, nil)
		if (err == nil) != c.reads {
			t.Errorf("%s: read with the error %v", name, err)
		}
		if err == nil && len(b.Addresses()) > 0 {
			t.Errorf("%s: usable addresses %q", name, b.Addresses())
		}
	}
	if document := signBootstrap(t, Bootstrap{Network: "demo"}); !strings.Contains(string(document), `"seeds":[]`) {
		t.Errorf("a document of nobody is %s", document)
	}
}

func FuzzParseBootstrap(f *testing.F) {
	f.Add(signBootstrap(f, testBootstrap(7)))
	f.Add([]byte(`{"network":"demo","sequence":3,"seeds":[{"addresses":["wss://a","x"]}]}`))
	f.Add([]byte(`{"network":"demo","signed":{"payload":"e30=","signature":""}}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		if b, err := ParseBootstrap(document, bootstrapPublic); err == nil && b.Signed == nil {
			t.Error("verified without a signature")
		}
		b, err := ParseBootstrap(document, nil)
		if err != nil {
			return
		}
		for _, address := range b.Addresses() {
			if _, err := parseURL(address); err != nil {
				t.Errorf("%q is usable", address)
			}
		}
		signed, err := SignBootstrap(*b, bootstrapKey)
		if err != nil {
			return
		}
		again, err := ParseBootstrap(signed, bootstrapPublic)
		if err != nil || again.plain() != mustPlain(*b) {
			t.Errorf("%s is read again as %+v, %v", signed, again, err)
		}
	})
}

// mustPlain is the plain form of a document as it is signed.
func mustPlain(b Bootstrap) string {
	if b.Seeds == nil {
		b.Seeds = []BootstrapSeed{}
	}
	return b.plain()
}
