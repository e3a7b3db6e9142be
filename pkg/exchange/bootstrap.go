package exchange

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
)

// Bounds of a bootstrap document.
const (
	// maxBootstrapBytes is how long a document may be.
	maxBootstrapBytes = 64 << 10
	// maxSignedBytes leaves seeds that serve a document room to say who they are.
	maxSignedBytes = maxBootstrapBytes - 1<<10

	maxBootstrapSeeds     = 1000
	maxBootstrapAddresses = 16 // of one seed
)

// What is wrong with a bootstrap document. Errors of [FetchBootstrap] and others
// wrap these.
var (
	// ErrBootstrapSignature says that a bootstrap document is not signed with the key
	// that was asked for.
	ErrBootstrapSignature = errors.New("bootstrap document is not signed with the expected key")
	// ErrBootstrapOutdated says that a bootstrap document is older than one that was
	// seen before: keep that one.
	ErrBootstrapOutdated = errors.New("bootstrap document is older than the one known")
)

// Bootstrap is the bootstrap document of a network: where its seeds are. Seeds
// serve it at /.well-known/peer-exchange, and any web server may. Fields may be
// added; readers ignore those they do not know. See docs/protocol.md.
type Bootstrap struct {
	// Network is the network ID.
	Network string `json:"network"`
	// Sequence grows with every change of the document, so that of two copies the
	// newer one can be told. A seed that was given no document serves 0.
	Sequence uint64 `json:"sequence"`
	// Seeds are the network's seeds, at most 1000. A client tries them in random order.
	Seeds []BootstrapSeed `json:"seeds"`
	// Signed is the document once more, with a signature. Nil if it has none.
	Signed *SignedBootstrap `json:"signed,omitempty"`
}

// BootstrapSeed is one seed of a [Bootstrap].
type BootstrapSeed struct {
	// Name tells the seed apart from the others. A seed that knows of no other has
	// none.
	Name string `json:"name,omitempty"`
	// Addresses are the ways to the seed, best first, at most 16, as ConnectURL takes
	// them: wss, tls, ws, tcp.
	Addresses []string `json:"addresses"`
	// TURN are the URLs of its STUN and TURN server, for people and for monitoring:
	// a seed gives them to its peers, with credentials. Empty is none that is known to
	// work; nil says nothing of them, and has no field.
	TURN []string `json:"turn,omitzero"`
}

// SignedBootstrap carries the bytes that were signed, so that a document can be
// taken apart and written anew on its way.
type SignedBootstrap struct {
	// Payload is a Bootstrap in JSON, without Signed.
	Payload []byte `json:"payload"`
	// Signature is by Ed25519, of the text "peerexchange-bootstrap-1\n" and Payload.
	Signature []byte `json:"signature"`
}

// signedText is what is signed. The prefix keeps a key that signs other things too
// from being tricked into signing a document.
func signedText(payload []byte) []byte {
	return append([]byte("peerexchange-bootstrap-1\n"), payload...)
}

// ParseBootstrap reads a document of at most 64 KiB. With a key, what it returns is
// what was signed with it, whatever else the document says; the error is
// ErrBootstrapSignature if nothing was. Without one a signature is not looked at.
func ParseBootstrap(document []byte, key ed25519.PublicKey) (*Bootstrap, error) {
	b, err := decodeBootstrap(document)
	if err != nil || key == nil {
		return b, err
	}
	if len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("the key has %d bytes, and one of Ed25519 has %d", len(key), ed25519.PublicKeySize)
	}
	signed := b.Signed
	if signed == nil || !ed25519.Verify(key, signedText(signed.Payload), signed.Signature) {
		return nil, ErrBootstrapSignature
	}
	if b, err = decodeBootstrap(signed.Payload); err != nil {
		return nil, err
	}
	b.Signed = signed
	return b, nil
}

func decodeBootstrap(document []byte) (*Bootstrap, error) {
	if len(document) > maxBootstrapBytes {
		return nil, fmt.Errorf("it is no bootstrap document: it has more than %d bytes", maxBootstrapBytes)
	}
	b := new(Bootstrap)
	if err := json.Unmarshal(document, b); err != nil {
		return nil, fmt.Errorf("it is no bootstrap document: %w", err)
	}
	if b.Network == "" {
		return nil, errors.New("it is no bootstrap document: it names no network")
	}
	if len(b.Seeds) > maxBootstrapSeeds {
		return nil, fmt.Errorf("it has more than %d seeds", maxBootstrapSeeds)
	}
	for _, seed := range b.Seeds {
		if len(seed.Addresses) > maxBootstrapAddresses {
			return nil, fmt.Errorf("seed %.64q has more than %d addresses", seed.Name, maxBootstrapAddresses)
		}
	}
	return b, nil
}

// SignBootstrap returns a document in JSON, with a signature. It refuses one that
// readers would: without a network, with an address that CheckURL refuses, or too
// long. The same document and key give the same bytes.
func SignBootstrap(b Bootstrap, key ed25519.PrivateKey) ([]byte, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("sign the bootstrap document: the key has %d bytes, and one of Ed25519 has %d", len(key), ed25519.PrivateKeySize)
	}
	b.Signed = nil
	if b.Seeds == nil {
		b.Seeds = []BootstrapSeed{} // pages go through a list
	}
	payload, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("sign the bootstrap document: %w", err)
	}
	b.Signed = &SignedBootstrap{Payload: payload, Signature: ed25519.Sign(key, signedText(payload))}
	document, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("sign the bootstrap document: %w", err)
	}
	document = append(document, '\n')
	if _, err := ReadBootstrapFile(document); err != nil {
		return nil, fmt.Errorf("sign the bootstrap document: %w", err)
	}
	return document, nil
}

// ReadBootstrapFile is ParseBootstrap without a key, for who publishes a document:
// it is strict where clients are lenient. All addresses have to be ones that
// CheckURL takes, the plain part of a signed document has to say what was signed, and
// it may be 1 KiB shorter, since seeds add to it.
func ReadBootstrapFile(document []byte) (*Bootstrap, error) {
	b, err := ParseBootstrap(document, nil)
	if err != nil {
		return nil, err
	}
	if len(document) > maxSignedBytes {
		return nil, fmt.Errorf("it has %d bytes, and may have %d", len(document), maxSignedBytes)
	}
	for _, seed := range b.Seeds {
		for _, address := range seed.Addresses {
			if err := CheckURL(address); err != nil {
				return nil, fmt.Errorf("seed %.64q: %w", seed.Name, err)
			}
		}
	}
	if b.Signed == nil {
		return b, nil
	}
	signed, err := ParseBootstrap(b.Signed.Payload, nil)
	if err != nil {
		return nil, fmt.Errorf("what is signed: %w", err)
	}
	if b.plain() != signed.plain() {
		return nil, errors.New("its fields are not those that are signed: sign it anew after a change")
	}
	return b, nil
}

// plain is the document without its signature.
func (b Bootstrap) plain() string {
	b.Signed = nil
	document, _ := json.Marshal(b) // texts and a number: it cannot fail
	return string(document)
}

// Addresses are those of all seeds that ConnectURL can connect to, of the first
// seed first.
func (b *Bootstrap) Addresses() []string {
	var usable []string
	for _, seed := range b.Seeds {
		for _, address := range seed.Addresses {
			if CheckURL(address) == nil {
				usable = append(usable, address)
			}
		}
	}
	return usable
}
