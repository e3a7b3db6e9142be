package seed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// stepTime bounds what a test waits for at most.
const stepTime = 30 * time.Second

// testSeed is a seed that runs, and is ended with the test.
type testSeed struct {
	*Seed
	secure, plain int // ports
	end           context.CancelFunc
	ended         chan error
}

func testConfig(t *testing.T) Config {
	return Config{
		NetworkID:    t.Name(),
		Listen:       "127.0.0.1:0",
		ListenPlain:  "127.0.0.1:0",
		WebRTCListen: ":0",
		StateDir:     t.TempDir(),
		Version:      "test",

		VerifyCandidates: true,
	}
}

func startSeed(t *testing.T, cfg Config, beforeRun ...func(*Seed)) *testSeed {
	t.Helper()
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range beforeRun {
		f(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ts := &testSeed{Seed: s, end: cancel, ended: make(chan error, 1)}
	for _, p := range s.ports {
		if p.tls != nil {
			ts.secure = p.number()
		} else {
			ts.plain = p.number()
		}
	}
	go func() { ts.ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ts.ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return ts
}

// trust is the configuration of a client that trusts the seed's certificate, as
// it does that reads the file that the seed names.
func (s *testSeed) trust(t *testing.T) *tls.Config {
	t.Helper()
	public, err := os.ReadFile(s.certificate.trust)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(public) {
		t.Fatal("no certificate to trust")
	}
	return &tls.Config{RootCAs: roots}
}

// newNode is a node of the seed's network that echoes what it is sent.
func newNode(t *testing.T, protocol exchange.Protocol) *exchange.Exchange {
	t.Helper()
	ways := webrtc.New(webrtc.Config{})
	ex, err := exchange.New(t.Name(), exchange.Config{
		Transports: []transports.Transport{websocket.New(websocket.Config{}), tcp.New(tcp.Config{}), ways},
		Protocol:   protocol,
		OnPeer: func(p *exchange.Peer) {
			if !p.Outgoing() {
				go io.Copy(p, p)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ex.Close(); ways.Close() })
	return ex
}

// await waits until n peers are ready as the seed sees it: the other side knows a
// moment earlier.
func (s *testSeed) await(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for len(s.exchange.Peers()) < n {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("the seed has %d peers, want %d", len(s.exchange.Peers()), n)
		}
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), stepTime)
	t.Cleanup(cancel)
	return ctx
}

// TestPeersMeetThroughTheSeed has two nodes find each other through each way
// into the seed, in both generations, and send data over the WebRTC connection
// that comes of it.
func TestPeersMeetThroughTheSeed(t *testing.T) {
	for _, protocol := range []exchange.Protocol{exchange.V0, exchange.V1} {
		for _, scheme := range []string{"ws", "wss", "tcp", "tls"} {
			t.Run(fmt.Sprintf("%v over %s", protocol, scheme), func(t *testing.T) {
				ctx := testContext(t)
				s := startSeed(t, testConfig(t))
				connect := func(ex *exchange.Exchange) {
					t.Helper()
					opts := transports.Options{Port: s.plain}
					if scheme == "wss" || scheme == "tls" {
						opts = transports.Options{Port: s.secure, Secure: true, TLS: s.trust(t)}
					}
					transport := transports.TCP
					if strings.HasPrefix(scheme, "ws") {
						transport = transports.WebSocket
					}
					p, err := ex.Connect(ctx, transport, "127.0.0.1", opts)
					if err != nil {
						t.Fatal(err)
					}
					if protocol == exchange.V0 && p.Agent() != "peerexchange-seed/test" {
						t.Errorf("the seed says it is %q", p.Agent())
					}
				}
				candidate, asker := newNode(t, protocol), newNode(t, protocol)
				if err := candidate.Accept(ctx, transports.WebRTC, transports.Options{}); err != nil {
					t.Fatal(err)
				}
				connect(candidate)
				connect(asker)
				s.await(ctx, t, 2)

				p, err := asker.GetNewPeer(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if p.Transport() != transports.WebRTC || p.Protocol() != protocol {
					t.Errorf("met over %s in %v", p.Transport(), p.Protocol())
				}
				const text = "hello from the other side"
				if _, err := io.WriteString(p, text); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(text))
				if _, err := io.ReadFull(p, got); err != nil || string(got) != text {
					t.Fatalf("echo is %q, %v", got, err)
				}
				if n := s.entrance.pending.len(); n != 0 {
					t.Errorf("%d connections are still pending", n)
				}
				if n := s.Stats().RelaysOpened; n != 1 {
					t.Errorf("%d relays were opened, want 1", n)
				}
			})
		}
	}
}

// TestTheSeedIsACandidateItself has a node of the network connect to the seed
// over WebRTC, introduced by another one.
func TestTheSeedIsACandidateItself(t *testing.T) {
	ctx := testContext(t)
	s := startSeed(t, testConfig(t))
	between, asker := newNode(t, exchange.V0), newNode(t, exchange.V0)
	if err := between.Accept(ctx, transports.TCP, transports.Options{Host: "127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := between.Connect(ctx, transports.WebSocket, "127.0.0.1", transports.Options{Port: s.plain}); err != nil {
		t.Fatal(err)
	}
	// The seed offers the only candidate that there is, and that one the seed.
	if _, err := asker.Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: s.plain}); err != nil {
		t.Fatal(err)
	}
	s.await(ctx, t, 2)
	s.awaitChecks(ctx, t, exchange.CheckPassed, 1)
	met, err := asker.GetNewPeer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if met.Instance() != between.Instance() {
		t.Fatalf("met %s, want %s", met.Instance(), between.Instance())
	}
	another := newNode(t, exchange.V0)
	if _, err := another.Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: dialedPort(t, met)}); err != nil {
		t.Fatal(err)
	}
	p, err := another.GetNewPeer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if p.Transport() != transports.WebRTC || p.Instance() != s.exchange.Instance() {
		t.Errorf("met %s over %s, want the seed over webrtc", p.Instance(), p.Transport())
	}
}

func dialedPort(t *testing.T, p *exchange.Peer) int {
	t.Helper()
	addr, ok := p.RemoteAddr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("connected to %v", p.RemoteAddr())
	}
	return addr.Port
}

func TestAnotherNetworkIsRefused(t *testing.T) {
	ctx := testContext(t)
	cfg := testConfig(t)
	cfg.NetworkID = "another"
	s := startSeed(t, cfg)
	_, err := newNode(t, exchange.V0).Connect(ctx, transports.WebSocket, "127.0.0.1", transports.Options{Port: s.plain})
	if err == nil {
		t.Error("connected")
	}
}

func TestPortsThatAreTaken(t *testing.T) {
	cfg := testConfig(t)
	cfg.AdminListen = "127.0.0.1:0"
	s := startSeed(t, cfg)
	for flag, change := range map[string]func(*Config){
		"--listen":       func(c *Config) { c.Listen = fmt.Sprintf("127.0.0.1:%d", s.secure) },
		"--listen-plain": func(c *Config) { c.ListenPlain = fmt.Sprintf("127.0.0.1:%d", s.plain) },
		"--webrtc-listen": func(c *Config) {
			c.WebRTCListen = s.webrtc.Addrs()[0].String()
		},
		"--admin-listen": func(c *Config) { c.AdminListen = s.admin.listener.Addr().String() },
	} {
		cfg := testConfig(t)
		change(&cfg)
		other, err := New(t.Context(), cfg)
		if err == nil {
			other.Close()
			t.Errorf("%s: two seeds have the same port", flag)
			continue
		}
		for _, want := range []string{flag, "in use", "off"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not say %q", flag, err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error has more than one line: %q", flag, err)
		}
	}
}

func TestStateDirThatCannotBeWritten(t *testing.T) {
	cfg := testConfig(t)
	cfg.StateDir = "/dev/null/state"
	_, err := New(t.Context(), cfg)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"/dev/null", "--state-dir", "--tls-cert"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	cfg.Listen = ""
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatalf("without TLS there is nothing to keep, yet: %v", err)
	}
	s.Close()
}

func TestSameCertificateAfterARestart(t *testing.T) {
	cfg := testConfig(t)
	var prints []string
	for range 2 {
		s, err := New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		prints = append(prints, s.certificate.fingerprint())
		if !strings.Contains(s.Welcome(), s.certificate.fingerprint()) {
			t.Errorf("the fingerprint is not said:\n%s", s.Welcome())
		}
		s.Close()
	}
	if prints[0] != prints[1] {
		t.Error("the certificate is another one")
	}
}

func TestWelcome(t *testing.T) {
	cfg := testConfig(t)
	cfg.ExternalIPs = []string{"203.0.113.9"}
	cfg.Listen = ":0"
	s := startSeed(t, cfg)
	got := s.Welcome()
	for _, want := range []string{
		t.Name(),
		fmt.Sprintf("wss://localhost:%d", s.secure),
		fmt.Sprintf("tls://203.0.113.9:%d", s.secure),
		fmt.Sprintf("ws://127.0.0.1:%d", s.plain),
		fmt.Sprintf("tcp://127.0.0.1:%d", s.plain),
		fmt.Sprintf("{ port: %d }", s.plain),
		s.certificate.trust,
		fmt.Sprintf("UDP port %d", s.webrtcPort()),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
}

func TestWelcomeTellsWhatToTrust(t *testing.T) {
	cfg := testConfig(t)
	cfg.ListenPlain, cfg.WebRTCListen = "", ""
	s := startSeed(t, cfg)
	got := s.Welcome()
	for _, variable := range []string{"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"} {
		if want := variable + "=" + s.certificate.trust; !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
	if !strings.Contains(got, "secure: true") || strings.Contains(got, "webrtc") {
		t.Errorf("TLS is not said, or WebRTC is, which is off:\n%s", got)
	}
}

func TestAListenerThatDiesEndsTheSeed(t *testing.T) {
	s, err := New(t.Context(), testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	s.ports[0].listener.Close()
	died := errors.New("died")
	l := newPipeListener()
	l.errs = []error{died}
	s.ports[0].listener = l
	if err := s.Run(t.Context()); !errors.Is(err, died) {
		t.Errorf("Run: %v, want %v", err, died)
	}
}
