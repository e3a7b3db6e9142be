package authority

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Lives of authorities.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	// successorAt is the age at which an authority gets a successor, and signsAt the
	// age of that one at which it signs: two thirds and five sixths of the old one's.
	successorAt = authorityLife * 2 / 3
	signsAt     = authorityLife / 6
	// skew is how much clocks may be off.
	skew = 5 * time.Minute
)

// Authorities are the certificates and keys of a network's authorities, each in PEM,
// the oldest first and both in the same order. They are kept as a Secret.
type Authorities struct {
	Certificates, Keys []byte
}

// authority is one of them.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// Renew returns the authorities as they are to be now: without those that have
// expired, and with a new one if there is none or the newest is old. They are the same
// bytes if nothing changes. What cannot be read is an error, since to start over would
// have every client trust somebody else.
func (a Authorities) Renew(network string, now time.Time) (Authorities, error) {
	all, err := a.parse()
	if err != nil {
		return Authorities{}, err
	}
	kept := all[:0:0]
	for _, one := range all {
		if now.Before(one.certificate.NotAfter) {
			kept = append(kept, one)
		}
	}
	if len(kept) == 0 || kept[len(kept)-1].age(now) >= successorAt {
		next, err := newAuthority(network, now)
		if err != nil {
			return Authorities{}, err
		}
		kept = append(kept, next)
	} else if len(kept) == len(all) {
		return a, nil
	}
	return encode(kept)
}

// RenewAt is when [Authorities.Renew] will change something.
func (a Authorities) RenewAt() (time.Time, error) {
	all, err := a.parse()
	if err != nil || len(all) == 0 {
		return time.Time{}, err
	}
	at := all[len(all)-1].certificate.NotBefore.Add(skew + successorAt)
	if ends := all[0].certificate.NotAfter; ends.Before(at) {
		at = ends
	}
	return at, nil
}

// parse reads them; none are none.
func (a Authorities) parse() ([]authority, error) {
	var all []authority
	certificates, keys := a.Certificates, a.Keys
	for {
		var certificate, key *pem.Block
		certificate, certificates = pem.Decode(certificates)
		key, keys = pem.Decode(keys)
		switch {
		case certificate == nil && key == nil:
			if len(bytes.TrimSpace(certificates))+len(bytes.TrimSpace(keys)) > 0 {
				return nil, fmt.Errorf("read authorities: what follows the first %d is no PEM", len(all))
			}
			return all, nil
		case certificate == nil || key == nil:
			return nil, fmt.Errorf("read authorities: there are not as many keys as certificates")
		}
		one, err := parseAuthority(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("read authority %d: %w", len(all), err)
		}
		all = append(all, one)
	}
}

func parseAuthority(certificate, key *pem.Block) (authority, error) {
	parsed, err := x509.ParseCertificate(certificate.Bytes)
	if err != nil {
		return authority{}, err
	}
	secret, err := x509.ParsePKCS8PrivateKey(key.Bytes)
	if err != nil {
		return authority{}, err
	}
	signer, ok := secret.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(parsed.PublicKey) {
		return authority{}, fmt.Errorf("the key is not the certificate's")
	}
	return authority{parsed, signer}, nil
}

func newAuthority(network string, now time.Time) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, fmt.Errorf("make an authority: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: commonName(network), SerialNumber: now.UTC().Format(time.DateOnly)},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(authorityLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, fmt.Errorf("make an authority: %w", err)
	}
	parsed, err := x509.ParseCertificate(signed)
	return authority{parsed, key}, err
}

// commonName tells people whose authority it is. X.509 has room for so many characters
// (RFC 5280, ub-common-name), and programs that hold to it refuse longer ones; an ID may
// be longer, and is cut.
func commonName(network string) string {
	const room = 64
	name := []rune("peer-exchange seeds of " + network)
	return string(name[:min(len(name), room)])
}

func encode(all []authority) (Authorities, error) {
	var certificates, keys bytes.Buffer
	for _, one := range all {
		key, err := x509.MarshalPKCS8PrivateKey(one.key)
		if err != nil {
			return Authorities{}, fmt.Errorf("encode an authority: %w", err)
		}
		pem.Encode(&certificates, &pem.Block{Type: "CERTIFICATE", Bytes: one.certificate.Raw})
		pem.Encode(&keys, &pem.Block{Type: "PRIVATE KEY", Bytes: key})
	}
	return Authorities{certificates.Bytes(), keys.Bytes()}, nil
}

// age is how long ago it was made.
func (a authority) age(now time.Time) time.Duration {
	return now.Sub(a.certificate.NotBefore.Add(skew))
}

// signer is the newest authority that clients have had time to hear of, or else the
// oldest.
func signer(all []authority, now time.Time) authority {
	for i := len(all) - 1; i > 0; i-- {
		if all[i].age(now) >= signsAt {
			return all[i]
		}
	}
	return all[0]
}

// serial is a random number of 128 bits.
func serial() *big.Int {
	var random [16]byte
	rand.Read(random[:]) // never fails
	random[0] &= 0x7f    // it is signed
	random[0] |= 0x40    // and not 0
	return new(big.Int).SetBytes(random[:])
}
