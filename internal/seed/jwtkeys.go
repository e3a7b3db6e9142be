package seed

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of the keys of JSON Web Tokens.
const (
	minJWTSecretBytes = 32   // RFC 7518 section 3.2
	minRSABits        = 2048 // RFC 7518 section 3.3
	maxJWTKeys        = 32   // each may have to be tried
)

// jwtKey is a key that tokens are signed with, and the algorithms that it is good
// for: whoever makes a token cannot choose to have it checked in another way.
type jwtKey struct {
	id         string // the kid, empty if it has none
	key        any
	algorithms []jose.SignatureAlgorithm
}

// jwtKeys are the keys of one file. They may be replaced at any time.
type jwtKeys struct {
	// Static after construction.
	parse func(content []byte) ([]jwtKey, error)

	current atomic.Pointer[[]jwtKey]
}

// replace takes over what the file holds.
func (k *jwtKeys) replace(contents [][]byte) error {
	keys, err := k.parse(contents[0])
	if err != nil {
		return err
	}
	k.current.Store(&keys)
	return nil
}

// all returns the keys; nil has none.
func (k *jwtKeys) all() []jwtKey {
	if k == nil {
		return nil
	}
	return slices.Clip(*k.current.Load())
}

// parseJWTSecrets reads secrets for HS256, one a line.
func parseJWTSecrets(content []byte) ([]jwtKey, error) {
	secrets, err := parseSecrets(content, minJWTSecretBytes)
	if err != nil {
		return nil, err
	}
	var keys []jwtKey
	for _, secret := range secrets {
		keys = append(keys, jwtKey{key: secret, algorithms: []jose.SignatureAlgorithm{jose.HS256}})
	}
	return keys, nil
}

// parseJWKS reads the public keys of a JWK Set (RFC 7517). Keys for another purpose
// than to sign, and of kinds that are not known here, are left out, as section 5
// has it.
func parseJWKS(content []byte) ([]jwtKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(content, &set); err != nil {
		return nil, fmt.Errorf("it is no JWK Set: %w", err)
	}
	var keys []jwtKey
	for i, raw := range set.Keys {
		var about struct{ Kty, Crv, Use string }
		if err := json.Unmarshal(raw, &about); err != nil {
			return nil, fmt.Errorf("key %d: it is no JWK: %w", i+1, err)
		}
		switch {
		case about.Kty == "oct":
			return nil, fmt.Errorf("key %d is a secret; those are for --jwt-secret-file", i+1)
		case about.Use == "enc", !knownKind(about.Kty, about.Crv):
			continue
		case len(keys) == maxJWTKeys:
			return nil, fmt.Errorf("there are more than %d keys", maxJWTKeys)
		}
		key, err := parseJWK(raw)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New(`there is no key in it that signs, of the kinds RSA, EC (P-256, P-384, P-521) and OKP (Ed25519); want {"keys":[…]}`)
	}
	return keys, nil
}

func knownKind(kty, crv string) bool {
	switch kty {
	case "RSA":
		return true
	case "EC":
		return crv == "P-256" || crv == "P-384" || crv == "P-521"
	case "OKP":
		return crv == "Ed25519"
	}
	return false
}

func parseJWK(raw []byte) (jwtKey, error) {
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return jwtKey{}, err
	}
	if !jwk.IsPublic() {
		return jwtKey{}, errors.New("it is a private key; a seed needs the public one only, and whoever reads this file could make tokens")
	}
	if !jwk.Valid() {
		return jwtKey{}, errors.New("it is no valid key")
	}
	k := jwtKey{id: jwk.KeyID, key: jwk.Key}
	switch key := jwk.Key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return jwtKey{}, fmt.Errorf("it has %d bits; at least %d are safe", key.N.BitLen(), minRSABits)
		}
		k.algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512}
	case *ecdsa.PublicKey:
		k.algorithms = []jose.SignatureAlgorithm{map[string]jose.SignatureAlgorithm{
			"P-256": jose.ES256, "P-384": jose.ES384, "P-521": jose.ES512,
		}[key.Curve.Params().Name]}
	case ed25519.PublicKey:
		k.algorithms = []jose.SignatureAlgorithm{jose.EdDSA}
	}
	if named := jose.SignatureAlgorithm(jwk.Algorithm); named != "" {
		if !slices.Contains(k.algorithms, named) {
			return jwtKey{}, fmt.Errorf("its alg is %.20q, want one of %v", named, k.algorithms)
		}
		k.algorithms = []jose.SignatureAlgorithm{named}
	}
	return k, nil
}
