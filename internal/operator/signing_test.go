package operator

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

// opensslKey is of `openssl genpkey -algorithm ed25519`, with what Kubernetes users
// leave around it.
const opensslKey = `
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----

`

func TestSigningKey(t *testing.T) {
	key, err := parseSigningKey([]byte(opensslKey))
	if err != nil {
		t.Fatal(err)
	}
	if got := publicKey(key); got != "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=" {
		t.Errorf("the public key is %s", got)
	}
	one, err := parseSigningKey(newSigningKey())
	if err != nil {
		t.Fatal(err)
	}
	if other, err := parseSigningKey(newSigningKey()); err != nil || one.Equal(other) || len(one) != ed25519.PrivateKeySize {
		t.Errorf("new keys are %v and %v, %v", one, other, err)
	}

	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	for say, bad := range map[string]string{
		"PEM block":   "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
		"PRIVATE KEY": strings.ReplaceAll(opensslKey, "PRIVATE", "PUBLIC"),
		"PKCS #8":     strings.Replace(opensslKey, "MC4C", "MC4D", 1),
		"Ed25519":     string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
	} {
		if key, err := parseSigningKey([]byte(bad)); err == nil || !strings.Contains(err.Error(), say) || strings.Contains(err.Error(), "AAECAwQF") {
			t.Errorf("got %v, %v; want %q", key, err, say)
		}
	}
}
