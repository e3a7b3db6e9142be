package exchange

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// A node trusts whom its Config.TLS does: at what it dials, and where its Maintainer
// fetches the bootstrap document.
func TestPrivateAuthority(t *testing.T) {
	var document string
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(document)) }))
	defer web.Close()
	seed, err := New("demo", Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer seed.Close()
	address := make(map[string]string)
	for scheme, transport := range map[string]transports.Listener{"wss": websocket.New(websocket.Config{}), "tls": tcp.New(tcp.Config{})} {
		l, err := transport.Listen(t.Context(), transports.Options{Host: "127.0.0.1", Secure: true, TLS: &tls.Config{Certificates: web.TLS.Certificates}})
		if err != nil {
			t.Fatal(err)
		}
		address[scheme] = fmt.Sprintf("%s://127.0.0.1:%d", scheme, l.Addr().(*net.TCPAddr).Port)
		serving := make(chan struct{})
		go func() { defer close(serving); seed.Serve(l, transport.Name()) }()
		defer func() { seed.Close(); <-serving }()
	}
	document = fmt.Sprintf(`{"network":"demo","sequence":1,"seeds":[{"addresses":[%q]}]}`, address["wss"])

	trust := &tls.Config{RootCAs: web.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	for scheme, to := range address {
		t.Run(scheme, func(t *testing.T) {
			for _, config := range []*tls.Config{nil, trust} {
				node, err := New("demo", Config{TLS: config})
				if err != nil {
					t.Fatal(err)
				}
				_, err = node.ConnectURL(t.Context(), to)
				if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) == (config != nil) {
					t.Errorf("with the roots %v: %v", config != nil, err)
				}
				node.Close()
			}
		})
	}
	t.Run("Maintainer", func(t *testing.T) {
		met := make(chan *Peer, 1)
		node, err := New("demo", Config{TLS: trust, OnPeer: func(p *Peer) { met <- p }})
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewMaintainer(node, MaintainerConfig{Bootstrap: &BootstrapSource{URL: web.URL}, Peers: -1})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- m.Run(t.Context()) }()
		if got := (<-met).DialedURL(); got != address["wss"] {
			t.Errorf("connected to %s", got)
		}
		node.Close()
		<-ended
	})
}
