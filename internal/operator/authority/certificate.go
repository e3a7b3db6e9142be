package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// certificateLife is that of the seeds' certificate. Browsers take less than 398 days.
const certificateLife = 90 * 24 * time.Hour

// Certificate is the seeds' certificate and its key, in PEM.
type Certificate struct {
	Certificate, Key []byte
}

// Renew returns the certificate as it is to be now: the same one while it is good for
// all of the hosts, younger than two thirds of its life, and of an authority that
// clients trust; or else a new one. A host that is not needed any more renews nothing.
func (c Certificate) Renew(a Authorities, hosts []string, now time.Time) (Certificate, error) {
	all, err := a.parse()
	if err != nil {
		return Certificate{}, err
	}
	if len(all) == 0 {
		return Certificate{}, errors.New("make a certificate: there is no authority")
	}
	if c.good(all, hosts, now) {
		return c, nil
	}
	return issue(signer(all, now), hosts, now)
}

// RenewAt is when two thirds of its life are over; zero if there is none.
func (c Certificate) RenewAt() time.Time {
	leaf := c.leaf()
	if leaf == nil {
		return time.Time{}
	}
	return leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)
}

// NotAfter is when its life is over; zero if there is none.
func (c Certificate) NotAfter() time.Time {
	if leaf := c.leaf(); leaf != nil {
		return leaf.NotAfter
	}
	return time.Time{}
}

// leaf is nil if certificate and key are no pair.
func (c Certificate) leaf() *x509.Certificate {
	pair, err := tls.X509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil
	}
	return pair.Leaf
}

func (c Certificate) good(all []authority, hosts []string, now time.Time) bool {
	leaf := c.leaf()
	if leaf == nil || !now.Before(c.RenewAt()) {
		return false
	}
	roots := x509.NewCertPool()
	for _, one := range all {
		roots.AddCert(one.certificate)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now}); err != nil {
		return false
	}
	for _, host := range hosts {
		if leaf.VerifyHostname(host) != nil {
			return false
		}
	}
	return true
}

func issue(by authority, hosts []string, now time.Time) (Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		NotBefore:    now.Add(-skew),
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ends := by.certificate.NotAfter; ends.Before(template.NotAfter) {
		template.NotAfter = ends // it would not be trusted any longer
	}
	for i, host := range hosts {
		if slices.Contains(hosts[:i], host) {
			continue
		}
		if ip, err := netip.ParseAddr(host); err == nil {
			template.IPAddresses = append(template.IPAddresses, ip.WithZone("").AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		return Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Certificate{}, fmt.Errorf("encode a key: %w", err)
	}
	var chain bytes.Buffer
	pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: signed})
	return Certificate{chain.Bytes(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})}, nil
}
