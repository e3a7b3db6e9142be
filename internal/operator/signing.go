package operator

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// signingKeyKey is where a Secret has the private key, in PEM as openssl writes it
// (PKCS #8).
const signingKeyKey = "ed25519.pem"

// signingKey sees to the key that signs the bootstrap document. It is made once.
// Programs have its public half, so one that cannot be read is left for a person to put
// back.
func (r *Reconciler) signingKey(ctx context.Context, state *run) error {
	n := state.network
	name := resources.SigningSecretName(n)
	kept, err := r.ownSecret(ctx, n, name)
	if err != nil {
		return err
	}
	encoded := kept[signingKeyKey]
	if len(encoded) == 0 {
		encoded = newSigningKey()
	}
	key, err := parseSigningKey(encoded)
	if err != nil {
		return problemf(v1.ReasonInvalidSpec, "the Secret %s has no key that can sign under %s (%v): put it back, or delete the Secret for a new key, which programs that verify the bootstrap document have to be told", name, signingKeyKey, err)
	}
	if err := r.apply(ctx, n, resources.Secret(n, name, map[string][]byte{signingKeyKey: encoded})); err != nil {
		return err // nothing is signed with a key that is not kept
	}
	state.signingKey = key
	return nil
}

func newSigningKey() []byte {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // the system's randomness never fails
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // it takes this type
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// parseSigningKey reads a key. Errors have nothing of it.
func parseSigningKey(encoded []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(encoded)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("it is no PEM block PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it is not encoded as PKCS #8")
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("it is of the type %T, and not Ed25519", parsed)
	}
	return key, nil
}

// publicKey is the public half, as programs are told it.
func publicKey(key ed25519.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
}

// tellNewKey is for who verifies with the key before, which the status has until this
// reconcile ends.
func (r *Reconciler) tellNewKey(state *run) {
	before, now := state.network.Status.Bootstrap, publicKey(state.signingKey)
	if before != nil && before.PublicKey != "" && before.PublicKey != now {
		message := "the bootstrap document is signed with another key than before, since that in the Secret " +
			resources.SigningSecretName(state.network) + " is another: programs that verify it with " + before.PublicKey + " refuse it until they have " + now
		r.afterStatus(state, func() { r.record(state, corev1.EventTypeWarning, "SigningKeyReplaced", "Publish", message) })
	}
}
