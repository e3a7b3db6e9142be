package seed

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// operatorPair is a key and a certificate as an operator has them, in PEM.
type operatorPair struct {
	cert, key string
	leaf      *x509.Certificate
}

func newOperatorPair(t testing.TB, now time.Time) operatorPair {
	t.Helper()
	data, err := selfSigned([]string{"localhost", "127.0.0.1"}, now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := pem.Decode(data)
	return operatorPair{string(certificatePEM(pair.Leaf.Raw)), string(pem.EncodeToMemory(key)), pair.Leaf}
}

// trusting is the configuration of a client that trusts the certificates.
func trusting(pairs ...operatorPair) *tls.Config {
	roots := x509.NewCertPool()
	for _, p := range pairs {
		roots.AddCert(p.leaf)
	}
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}
}

// startReloadable starts a seed with an operator's certificate. check looks at
// its files: the test does that, instead of the time.
func startReloadable(t *testing.T, first operatorPair) (s *testSeed, dir string, check func()) {
	t.Helper()
	dir = t.TempDir()
	cfg := testConfig(t)
	cfg.TLSCert, cfg.TLSKey = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	write(t, cfg.TLSCert, first.cert)
	write(t, cfg.TLSKey, first.key)
	s = startSeed(t, cfg, func(s *Seed) {
		s.certificate.files.settle = 0 // the test looks when it has written
		check = s.certificate.files.check
		s.certificate.files = nil
	})
	return s, dir, check
}

func (s *testSeed) dialTLS(t testing.TB, config *tls.Config) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", s.ports[0].listener.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// ask sends a request on a connection that goes on after it.
func ask(conn io.ReadWriter, in *bufio.Reader) error {
	if _, err := io.WriteString(conn, "GET /.well-known/peer-exchange HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return err
	}
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// TestCertificateIsReplacedUnderLoad replaces the certificate again and again
// while clients connect all the time.
func TestCertificateIsReplacedUnderLoad(t *testing.T) {
	ctx := testContext(t)
	pairs := []operatorPair{newOperatorPair(t, time.Now()), newOperatorPair(t, time.Now())}
	s, dir, check := startReloadable(t, pairs[0])
	trust := trusting(pairs...)

	// Connections from before: one of each kind.
	var peers []*exchange.Peer
	for _, transport := range []string{transports.WebSocket, transports.TCP} {
		p, err := newNode(t, exchange.V0).Connect(ctx, transport, "127.0.0.1",
			transports.Options{Port: s.secure, Secure: true, TLS: trust})
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, p)
	}
	http1 := s.dialTLS(t, trust)
	http1In := bufio.NewReader(http1)
	if err := ask(http1, http1In); err != nil {
		t.Fatal(err)
	}

	loadCtx, stop := context.WithCancel(t.Context())
	defer stop()
	var load sync.WaitGroup
	defer load.Wait()
	defer stop()
	var connected [2]bool // which certificates the load saw; guarded by mu
	var mu sync.Mutex
	for range 4 {
		load.Go(func() {
			for loadCtx.Err() == nil {
				conn, err := tls.Dial("tcp", s.ports[0].listener.Addr().String(), trust)
				if err != nil {
					t.Errorf("connect under load: %v", err)
					return
				}
				for i, p := range pairs {
					if conn.ConnectionState().PeerCertificates[0].Equal(p.leaf) {
						mu.Lock()
						connected[i] = true
						mu.Unlock()
					}
				}
				if err := ask(conn, bufio.NewReader(conn)); err != nil {
					t.Errorf("request under load: %v", err)
				}
				conn.Close()
			}
		})
	}

	for round := 1; round <= 20; round++ {
		next := pairs[round%2]
		// Between the two renames the files do not go together.
		swap(t, filepath.Join(dir, "tls.crt"), next.cert)
		check()
		swap(t, filepath.Join(dir, "tls.key"), next.key)
		check()
		conn := s.dialTLS(t, trust)
		if !conn.ConnectionState().PeerCertificates[0].Equal(next.leaf) {
			t.Fatalf("round %d: a new connection gets the old certificate", round)
		}
		if err := ask(http1, http1In); err != nil {
			t.Fatalf("round %d: connection from before: %v", round, err)
		}
		conn.Close()
	}
	stop()
	load.Wait()
	if !connected[0] || !connected[1] {
		t.Errorf("the load saw the certificates %v, want both", connected)
	}
	for _, p := range peers {
		if _, err := p.GetNewPeer(testContext(t)); err != nil && !errors.Is(err, exchange.ErrNoCandidates) {
			t.Errorf("peer over %s from before: %v", p.Transport(), err)
		}
		select {
		case <-p.Done():
			t.Errorf("peer over %s was disconnected: %v", p.Transport(), p.Err())
		default:
		}
	}
}

// TestBrokenPairKeepsTheOldOne replaces a good pair with ones that are of no use.
func TestBrokenPairKeepsTheOldOne(t *testing.T) {
	good, other := newOperatorPair(t, time.Now()), newOperatorPair(t, time.Now())
	expired := newOperatorPair(t, time.Now().Add(-selfSignedLife-time.Hour))
	early := newOperatorPair(t, time.Now().Add(48*time.Hour))
	for _, c := range []struct{ name, cert, key, say string }{
		{"certificate only", other.cert, good.key, "private key does not match"},
		{"key only", good.cert, other.key, "private key does not match"},
		{"no PEM", "garbage", good.key, "PEM"},
		{"half a certificate", good.cert[:len(good.cert)/2], good.key, "PEM"},
		{"empty", "", "", "PEM"},
		{"the wrong way round", other.key, other.cert, "PEM"},
		{"expired", expired.cert, expired.key, "has expired"},
		{"not good yet", early.cert, early.key, "is good from"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
			write(t, certFile, good.cert)
			write(t, keyFile, good.key)
			var log bytes.Buffer
			cert, err := loadCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			cert.files.settle = 0
			swap(t, certFile, c.cert)
			swap(t, keyFile, c.key)
			for range 4 {
				cert.files.check()
			}
			if !cert.leaf().Equal(good.leaf) {
				t.Error("the old certificate is gone")
			}
			if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), c.say) {
				t.Errorf("logged %d lines, want one that says %q:\n%s", n, c.say, log.String())
			}
			if strings.Contains(log.String(), "BEGIN") {
				t.Error("the log has the files' content")
			}
			swap(t, certFile, other.cert)
			swap(t, keyFile, other.key)
			cert.files.check()
			if !cert.leaf().Equal(other.leaf) {
				t.Error("a good certificate after it was not taken over")
			}
		})
	}
}

func TestExpiredCertificateStartsWhereThereIsNoOther(t *testing.T) {
	dir := t.TempDir()
	expired := newOperatorPair(t, time.Now().Add(-selfSignedLife-time.Hour))
	write(t, filepath.Join(dir, "tls.crt"), expired.cert)
	write(t, filepath.Join(dir, "tls.key"), expired.key)
	if _, err := loadCertificate(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), nil); err != nil {
		t.Error(err)
	}
}

// TestCertificateOfASecret mounts the certificate as Kubernetes does.
func TestCertificateOfASecret(t *testing.T) {
	dir := t.TempDir()
	first, second := newOperatorPair(t, time.Now()), newOperatorPair(t, time.Now())
	mountSecret(t, dir, "..1", map[string]string{"tls.crt": first.cert, "tls.key": first.key})
	c, err := loadCertificate(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mountSecret(t, dir, "..2", map[string]string{"tls.crt": second.cert, "tls.key": second.key})
	if err := os.RemoveAll(filepath.Join(dir, "..1")); err != nil {
		t.Fatal(err)
	}
	c.files.check()
	if !c.leaf().Equal(second.leaf) {
		t.Error("the new certificate was not taken over")
	}
}

// TestSessionGoesWithItsCertificate has a client come back that could resume its
// session without a look at the certificate.
func TestSessionGoesWithItsCertificate(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			first, second := newOperatorPair(t, time.Now()), newOperatorPair(t, time.Now())
			s, dir, check := startReloadable(t, first)
			trust := trusting(first, second)
			trust.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			trust.MaxVersion = version
			for i, step := range []struct {
				pair    operatorPair
				resumed bool
			}{{first, false}, {first, true}, {first, true}, {second, false}, {second, true}} {
				if i > 0 {
					swap(t, filepath.Join(dir, "tls.crt"), step.pair.cert)
					swap(t, filepath.Join(dir, "tls.key"), step.pair.key)
					check()
				}
				conn := s.dialTLS(t, trust)
				if err := ask(conn, bufio.NewReader(conn)); err != nil { // with the answer comes the ticket
					t.Fatal(err)
				}
				state := conn.ConnectionState()
				if state.DidResume != step.resumed || !state.PeerCertificates[0].Equal(step.pair.leaf) {
					t.Errorf("connection %d: resumed is %v, want %v; right certificate is %v",
						i, state.DidResume, step.resumed, state.PeerCertificates[0].Equal(step.pair.leaf))
				}
				conn.Close()
			}
		})
	}
}

// TestRunWatchesTheCertificate lets the seed itself look at the files.
func TestRunWatchesTheCertificate(t *testing.T) {
	first, second := newOperatorPair(t, time.Now()), newOperatorPair(t, time.Now())
	dir := t.TempDir()
	cfg := testConfig(t)
	cfg.TLSCert, cfg.TLSKey = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	write(t, cfg.TLSCert, first.cert)
	write(t, cfg.TLSKey, first.key)
	taken := make(chan struct{})
	cfg.Logger = slog.New(onRecord{slog.DiscardHandler, "changed files were taken over", taken})
	s := startSeed(t, cfg, func(s *Seed) { s.certificate.files.interval = time.Millisecond })
	swap(t, cfg.TLSCert, second.cert)
	swap(t, cfg.TLSKey, second.key)
	select {
	case <-taken:
	case <-testContext(t).Done():
		t.Fatal("nothing was taken over")
	}
	conn := s.dialTLS(t, trusting(second))
	if err := ask(conn, bufio.NewReader(conn)); err != nil {
		t.Error(err)
	}
}

// TestExpiredCertificateIsTold starts with a certificate that has expired, since there
// is no other: no client comes in, and the log says why.
func TestExpiredCertificateIsTold(t *testing.T) {
	for _, c := range []struct {
		made time.Time
		want int
	}{{time.Now(), 0}, {time.Now().Add(-selfSignedLife - time.Hour), 1}} {
		pair, dir := newOperatorPair(t, c.made), t.TempDir()
		cfg := testConfig(t)
		cfg.TLSCert, cfg.TLSKey = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
		write(t, cfg.TLSCert, pair.cert)
		write(t, cfg.TLSKey, pair.key)
		var log bytes.Buffer
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s, err := New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if got := strings.Count(log.String(), "the certificate has expired"); got != c.want {
			t.Errorf("told %d times, want %d:\n%s", got, c.want, log.String())
		}
	}
}

// onRecord closes a channel when something is logged for the first time.
type onRecord struct {
	slog.Handler
	message string
	seen    chan struct{}
}

func (onRecord) Enabled(context.Context, slog.Level) bool { return true }

func (h onRecord) Handle(_ context.Context, r slog.Record) error {
	if r.Message == h.message {
		close(h.seen)
	}
	return nil
}

func (h onRecord) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h onRecord) WithGroup(string) slog.Handler      { return h }
