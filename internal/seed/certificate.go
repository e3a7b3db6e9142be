package seed

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Files of the self-signed certificate in the state directory. The first holds
// key and certificate together, so that there is no moment in which the one is
// not the other's.
const (
	pairFile   = "tls.pem" // key and certificate, for the seed only
	publicFile = "tls.crt" // the certificate once more, for clients to trust
)

// renewBefore is how long before its end a self-signed certificate is made anew,
// at the next start.
const renewBefore = 30 * 24 * time.Hour

// certificate is what the port with TLS shows. The pair of an operator may be
// replaced at any time.
type certificate struct {
	pair atomic.Pointer[tls.Certificate]

	// Static after construction.
	files *watch // nil if nobody replaces them
	// trust is the file that a client has to trust, empty if the certificate is
	// not of the seed's own making.
	trust string
	made  bool // just now
}

func newCertificate(pair tls.Certificate) *certificate {
	c := new(certificate)
	c.pair.Store(&pair)
	return c
}

// loadCertificate reads the certificate of an operator, which is read again when
// the files change.
func loadCertificate(certFile, keyFile string, logger *slog.Logger) (*certificate, error) {
	c := new(certificate)
	var err error
	c.files, err = newWatch("certificate", []string{certFile, keyFile}, c.replace, logger)
	if err != nil {
		return nil, fmt.Errorf("read the certificate (--tls-cert, --tls-key): %w", err)
	}
	return c, nil
}

// replace takes over what the operator's files hold. The first pair is good even
// if it has expired, since there is no other; from then on one that clients would
// not take replaces none.
func (c *certificate) replace(contents [][]byte) error {
	pair, err := tls.X509KeyPair(contents[0], contents[1])
	if err != nil {
		return err
	}
	if before := c.pair.Load(); before != nil {
		now := time.Now()
		switch {
		case now.Before(pair.Leaf.NotBefore):
			return fmt.Errorf("the certificate is good from %s on", pair.Leaf.NotBefore.Format(time.RFC3339))
		case now.After(pair.Leaf.NotAfter):
			return fmt.Errorf("the certificate has expired on %s", pair.Leaf.NotAfter.Format(time.RFC3339))
		}
	}
	c.pair.Store(&pair)
	return nil
}

// serve returns the configuration of a server that shows the certificate: each
// new connection gets the one that there is then. HTTP/2 is not offered: nobody
// opens a websocket on it.
//
// A client that comes back may resume its session, and then sees no certificate
// but remembers the one that it saw. So a session goes with its certificate: when
// another one is shown, clients have to look at it.
func (c *certificate) serve() *tls.Config {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.pair.Load(), nil
		},
	}
	config.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		session.Extra = append(session.Extra, c.sum())
		return config.EncryptTicket(state, session)
	}
	config.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		session, err := config.DecryptTicket(ticket, state)
		if session == nil || err != nil {
			return nil, err
		}
		shown := c.sum()
		if !slices.ContainsFunc(session.Extra, func(extra []byte) bool { return bytes.Equal(extra, shown) }) {
			return nil, nil
		}
		return session, nil
	}
	return config
}

// keepCertificate returns the self-signed certificate that dir holds, and makes
// it for the given names if it holds none, or one that is about to expire. It
// stays the same after that, whatever the names: clients have its fingerprint.
func keepCertificate(dir string, names []string, now time.Time) (*certificate, error) {
	if err := makeStateDir(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, pairFile)
	c, err := readPair(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c, err = createPair(path, names, now)
	case err == nil && now.After(c.leaf().NotAfter.Add(-renewBefore)):
		c, err = renewPair(path, names, now)
	}
	if err != nil {
		return nil, err
	}
	c.trust = filepath.Join(dir, publicFile)
	if err := publish(c.trust, c.leaf()); err != nil {
		return nil, err
	}
	return c, nil
}

func readPair(path string) (*certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; delete the file to have a new certificate made", path, err)
	}
	return newCertificate(pair), nil
}

func createPair(path string, names []string, now time.Time) (*certificate, error) {
	data, err := selfSigned(names, now)
	if err != nil {
		return nil, err
	}
	err = createFile(path, data)
	if errors.Is(err, fs.ErrExist) {
		return readPair(path) // another seed was faster
	}
	if err != nil {
		// There are file systems without links.
		err = replaceFile(path, data, 0o600)
	}
	if err != nil {
		return nil, err
	}
	return made(path)
}

func renewPair(path string, names []string, now time.Time) (*certificate, error) {
	data, err := selfSigned(names, now)
	if err != nil {
		return nil, err
	}
	if err := replaceFile(path, data, 0o600); err != nil {
		return nil, err
	}
	return made(path)
}

func made(path string) (*certificate, error) {
	c, err := readPair(path)
	if err != nil {
		return nil, err
	}
	c.made = true
	return c, nil
}

// publish writes the certificate without its key.
func publish(path string, leaf *x509.Certificate) error {
	data := certificatePEM(leaf.Raw)
	if there, err := os.ReadFile(path); err == nil && string(there) == string(data) {
		return nil
	}
	return replaceFile(path, data, 0o644)
}

// fingerprint is the SHA-256 of the certificate, as browsers show it.
func (c *certificate) fingerprint() string {
	return strings.ReplaceAll(fmt.Sprintf("% X", c.sum()), " ", ":")
}

func (c *certificate) sum() []byte {
	sum := sha256.Sum256(c.leaf().Raw)
	return sum[:]
}

// missing returns those of the hosts, as URLs have them, that the certificate is
// not good for.
func (c *certificate) missing(hosts []string) []string {
	return slices.DeleteFunc(slices.Clone(hosts), func(host string) bool {
		return c.leaf().VerifyHostname(strings.Trim(host, "[]")) == nil
	})
}

// leaf is the certificate that is shown now.
func (c *certificate) leaf() *x509.Certificate { return c.pair.Load().Leaf }
