//go:build e2e

package e2e

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// documentServed waits until every published seed serves the document that is published. The
// kubelet brings it to a seed at once, which looks at its files every few seconds.
func (n *network) documentServed() {
	n.t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.roots()}}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	eventually(n.t, "every seed serves the document that is published", func() bool {
		published := n.status().Bootstrap
		for _, address := range n.addresses("wss") {
			source := exchange.BootstrapSource{URL: "https" + strings.TrimPrefix(address, "wss"), Key: n.key(), Network: n.id, Client: client}
			document, err := source.Fetch(n.t.Context())
			if err != nil || document.Sequence != uint64(published.Sequence) {
				return false
			}
		}
		return true
	})
}

// key is the one that documents are verified with.
func (n *network) key() ed25519.PublicKey {
	n.t.Helper()
	encoded := n.status().Bootstrap.PublicKey
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) != ed25519.PublicKeySize {
		n.t.Fatalf("the public key is %q, %v", encoded, err)
	}
	return key
}

// certificate is what is served at an address; nil if nothing is.
func certificate(t *testing.T, address string) *x509.Certificate {
	_, host, _ := strings.Cut(address, "://")
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: 10 * time.Second}, Config: &tls.Config{InsecureSkipVerify: true}} // the test wants to know which one it is
	conn, err := dialer.DialContext(t.Context(), "tcp", host)
	if err != nil {
		return nil
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
}
