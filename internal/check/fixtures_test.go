package check

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/internal/seed"
)

// patience bounds each step where it is to work.
const patience = 30 * time.Second

// outside is where the nodes of a check are that a seed on 127.0.0.1 relays to.
var outside = netip.MustParseAddr("127.0.0.2")

// startSeed runs a seed on the loopback interface, and returns its URL by scheme
// and the file of its certificate.
func startSeed(t *testing.T, changes ...func(*seed.Config)) (urls map[string]string, ca string) {
	t.Helper()
	_, urls, ca = runSeed(t, changes...)
	return urls, ca
}

// runSeed is startSeed, with the seed itself.
func runSeed(t *testing.T, changes ...func(*seed.Config)) (s *seed.Seed, urls map[string]string, ca string) {
	t.Helper()
	cfg := seed.Config{
		NetworkID: "net", Listen: "127.0.0.1:0", ListenPlain: "127.0.0.1:0", WebRTCListen: ":0", StateDir: t.TempDir(),
		TURNListen: []string{"127.0.0.1:0"}, TURNRelayIP: "127.0.0.1", TURNAllowPeers: []string{outside.String()},
		Version: "test",
	}
	for _, change := range changes {
		change(&cfg)
	}
	s, err := seed.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("seed: %v", err)
		}
	})
	urls = make(map[string]string)
	for _, address := range s.Status().Addresses {
		scheme, _, _ := strings.Cut(address, ":")
		urls[scheme] = address
	}
	return s, urls, filepath.Join(cfg.StateDir, "tls.crt")
}

// awaitPeers waits until the seed has so many.
func awaitPeers(t *testing.T, s *seed.Seed, n int) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for s.Status().Peers.Total != n {
		select {
		case <-look.C:
		case <-end.C:
			t.Fatalf("the seed has %d peers, want %d", s.Status().Peers.Total, n)
		}
	}
}

// run checks with a configuration.
func run(t *testing.T, cfg Config) Report {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = patience
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.local = outside
	return c.Run(t.Context())
}

// step finds a step.
func step(t *testing.T, r Report, name string) Step {
	t.Helper()
	for _, s := range r.Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no step %q", name)
	return Step{}
}

// want checks what came of a step, and that detail and hint say each of the words.
func want(t *testing.T, r Report, name string, result Result, words ...string) {
	t.Helper()
	s := step(t, r, name)
	if s.Result != result {
		t.Errorf("%s: %s, want %s; %s %s", name, s.Result, result, s.Detail, s.Hint)
	}
	for _, word := range words {
		if !strings.Contains(s.Detail+" "+s.Hint, word) {
			t.Errorf("%s: %q is not said: %s\n%s", name, word, s.Detail, s.Hint)
		}
	}
	if s.Result == Failed && s.Hint == "" {
		t.Errorf("%s: no hint: %s", name, s.Detail)
	}
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := new(authority)
	a.cert, a.key = a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

func (a *authority) sign(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore = time.Now().Add(-48 * time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// server is a certificate for 127.0.0.1, or for names.
func (a *authority) server(t *testing.T, notAfter time.Time, names ...string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, NotAfter: notAfter, DNSNames: names,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	cert, key := a.sign(t, template)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// file is the authority's certificate as --ca takes it.
func (a *authority) file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serve takes connections, each in a goroutine, until the test is over.
func serve(t *testing.T, handle func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			handle(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// serveTLS shakes hands and hangs up.
func serveTLS(t *testing.T, certificate tls.Certificate) (addr string) {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	return serve(t, func(conn net.Conn) {
		conn.SetDeadline(time.Now().Add(patience))
		_ = tls.Server(conn, config).Handshake()
	})
}
