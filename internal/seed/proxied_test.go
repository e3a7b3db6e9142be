package seed

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// forward runs a proxy that says header before each connection that it passes on
// to a port of this machine. It returns its own port.
func forward(t *testing.T, port int, header string) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	pass := func(from, to net.Conn) {
		io.Copy(to, from)
		from.Close()
		to.Close()
	}
	running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				in.Close()
				continue
			}
			io.WriteString(out, header)
			context.AfterFunc(t.Context(), func() { in.Close() }) // before the test is cleaned up
			running.Go(func() { pass(in, out) })
			running.Go(func() { pass(out, in) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port
}

// v1Header is of a client at an IPv4 address.
func v1Header(client string) string {
	return "PROXY TCP4 " + client + " 127.0.0.1 40000 443\r\n"
}

func trustingSeed(t *testing.T, trusted ...string) *testSeed {
	t.Helper()
	cfg := testConfig(t)
	cfg.TrustedProxies = trusted
	return startSeed(t, cfg)
}

// TestPeersBehindAProxyAreSeenWhereTheyAre goes each way into the seed through a
// proxy that says whom it forwards.
func TestPeersBehindAProxyAreSeenWhereTheyAre(t *testing.T) {
	for name, header := range map[string]struct{ text, want string }{
		"v1":       {v1Header("203.0.113.5"), "203.0.113.5"},
		"v2":       {v2(v2Proxy, v2TCP4, v2Addrs4...), "192.0.2.1"},
		"v2 IPv6":  {v2(v2Proxy, v2TCP6, v2Addrs6...), "2001:db8::1"},
		"v2 LOCAL": {v2(v2Local, 0), "127.0.0.1"},
		"none":     {"", "127.0.0.1"},
	} {
		for _, scheme := range []string{"ws", "wss", "tcp", "tls"} {
			t.Run(name+" over "+scheme, func(t *testing.T) {
				ctx := testContext(t)
				s := trustingSeed(t, "127.0.0.1")
				opts := transports.Options{Port: forward(t, s.plain, header.text)}
				if scheme == "wss" || scheme == "tls" {
					opts = transports.Options{Port: forward(t, s.secure, header.text), Secure: true, TLS: s.trust(t)}
				}
				transport := transports.TCP
				if strings.HasPrefix(scheme, "ws") {
					transport = transports.WebSocket
				}
				if _, err := newNode(t, exchange.V0).Connect(ctx, transport, "127.0.0.1", opts); err != nil {
					t.Fatal(err)
				}
				s.await(ctx, t, 1)
				if got := s.exchange.Peers()[0].RemoteAddress(); got != header.want {
					t.Errorf("the seed sees its peer at %s, want %s", got, header.want)
				}
			})
		}
	}
}

// TestStrangersCannotSayWhoTheyAre sends headers from an address that is none of
// a trusted proxy.
func TestStrangersCannotSayWhoTheyAre(t *testing.T) {
	for name, header := range map[string]string{"v1": v1Header("203.0.113.5"), "v2": v2(v2Proxy, v2TCP4, v2Addrs4...), "v2 LOCAL": v2(v2Local, 0)} {
		for _, trusted := range [][]string{nil, {"127.0.0.2", "10.0.0.0/8"}} {
			for _, secure := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, trusted are %v, TLS is %v", name, trusted, secure), func(t *testing.T) {
					s := trustingSeed(t, trusted...)
					opts := transports.Options{Port: forward(t, s.plain, header)}
					if secure {
						opts = transports.Options{Port: forward(t, s.secure, header), Secure: true, TLS: s.trust(t)}
					}
					for _, transport := range []string{transports.TCP, transports.WebSocket} {
						if p, err := newNode(t, exchange.V0).Connect(testContext(t), transport, "127.0.0.1", opts); err == nil {
							t.Errorf("connected over %s, as %s", transport, p.RemoteAddress())
						}
					}
					if n := s.Refused()[refusedProxyHeader]; n != 2 {
						t.Errorf("%d were refused for their header, want both: %v", n, s.Refused())
					}
				})
			}
		}
	}
}

// TestAHeaderInsideIsTheClients has a client of a trusted proxy send headers of
// its own.
func TestAHeaderInsideIsTheClients(t *testing.T) {
	s := trustingSeed(t, "127.0.0.1")
	for name, c := range map[string]struct {
		port   int
		header string
	}{
		"after the proxy's": {s.plain, v1Header("203.0.113.5") + v1Header("203.0.113.6")},
		"v2 after v1":       {s.plain, v1Header("203.0.113.5") + v2(v2Proxy, v2TCP4, v2Addrs4...)},
		"of no use":         {s.plain, "PROXY TCP4 nonsense\r\n"},
	} {
		if _, err := newNode(t, exchange.V0).Connect(testContext(t), transports.TCP, "127.0.0.1", transports.Options{Port: forward(t, c.port, c.header)}); err == nil {
			t.Errorf("%s: connected", name)
		}
	}
	conn := s.dialTLS(t, s.trust(t))
	io.WriteString(conn, v1Header("203.0.113.6"))
	if got, _ := io.ReadAll(conn); len(got) != 0 {
		t.Errorf("inside TLS: answer is %q", got)
	}
	if n := s.Refused()[refusedProxyHeader]; n != 4 {
		t.Errorf("%d were refused, want 4: %v", n, s.Refused())
	}
}

// reverse runs an HTTP proxy in front of the seed's port without TLS.
func reverse(t *testing.T, s *testSeed, forwardedFor ...string) *httptest.Server {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", s.plain)}
	transport := &http.Transport{}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header["X-Forwarded-For"] = forwardedFor
		},
	})
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	return server
}

func TestWebsocketsBehindAnHTTPProxy(t *testing.T) {
	for _, c := range []struct {
		name    string
		trusted string
		list    []string
		want    string
	}{
		{"one client", "127.0.0.1", []string{"203.0.113.5"}, "203.0.113.5"},
		{"what the client says of itself", "127.0.0.1", []string{"198.51.100.66, 203.0.113.5"}, "203.0.113.5"},
		{"in several fields", "127.0.0.1", []string{"198.51.100.66", "2001:db8::5"}, "2001:db8::5"},
		{"nothing", "127.0.0.1", nil, "127.0.0.1"},
		{"of a stranger", "127.0.0.2", []string{"203.0.113.5"}, "127.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := testContext(t)
			s := trustingSeed(t, c.trusted)
			server := reverse(t, s, c.list...)
			port := server.Listener.Addr().(*net.TCPAddr).Port
			p, err := newNode(t, exchange.V0).Connect(ctx, transports.WebSocket, "127.0.0.1", transports.Options{Port: port})
			if err != nil {
				t.Fatal(err)
			}
			s.await(ctx, t, 1)
			if got := s.exchange.Peers()[0].RemoteAddress(); got != c.want {
				t.Errorf("the seed sees its peer at %s, want %s", got, c.want)
			}
			p.Close() // the proxy waits for it
		})
	}
}

// TestLimitsAreTheClients has one address use up what it may, behind the proxy
// that the others are behind too.
func TestLimitsAreTheClients(t *testing.T) {
	ctx := testContext(t)
	cfg := testConfig(t)
	cfg.TrustedProxies = []string{"127.0.0.1"}
	cfg.Limits.PeersPerIP = 2
	s := startSeed(t, cfg)
	connect := func(client string) error {
		_, err := newNode(t, exchange.V0).Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: forward(t, s.plain, v1Header(client))})
		return err
	}
	for _, client := range []string{"203.0.113.1", "203.0.113.1", "203.0.113.2", "203.0.113.3"} {
		if err := connect(client); err != nil {
			t.Fatalf("%s: %v", client, err)
		}
	}
	if connect("203.0.113.1") == nil {
		t.Error("one address has more connections than it may")
	}
	if err := connect("203.0.113.2"); err != nil {
		t.Errorf("another one pays for it: %v", err)
	}
}

// TestOfferedWhereTheyAre has a peer that accepts connections meet another one
// through the seed. Only the address that the proxy said leads to it.
func TestOfferedWhereTheyAre(t *testing.T) {
	ctx := testContext(t)
	s := trustingSeed(t, "127.0.0.1")
	const elsewhere = "127.0.0.77"
	candidate, asker := newNode(t, exchange.V0), newNode(t, exchange.V0)
	if err := candidate.Accept(ctx, transports.TCP, transports.Options{Host: elsewhere}); err != nil {
		t.Fatal(err)
	}
	if _, err := candidate.Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: forward(t, s.plain, v1Header(elsewhere))}); err != nil {
		t.Fatal(err)
	}
	if _, err := asker.Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: forward(t, s.plain, v1Header("127.0.0.78"))}); err != nil {
		t.Fatal(err)
	}
	s.await(ctx, t, 2)
	s.awaitChecks(ctx, t, exchange.CheckPassed, 1)
	p, err := asker.GetNewPeer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if p.Instance() != candidate.Instance() || p.RemoteAddress() != elsewhere {
		t.Errorf("met %s at %s, want %s at %s", p.Instance(), p.RemoteAddress(), candidate.Instance(), elsewhere)
	}
}

// fromConn is a connection from somewhere.
type fromConn struct {
	net.Conn
	from netip.AddrPort
}

func (c fromConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.from) }

func (l *pipeListener) dialFrom(from string) (client net.Conn, closed <-chan struct{}) {
	client, server := net.Pipe()
	told := &toldConn{Conn: fromConn{server, netip.MustParseAddrPort(from)}, closed: make(chan struct{})}
	l.conns <- told
	return client, told.closed
}

// TestHeadersThatTakeTooLong has a trusted proxy, or who sits there, hold
// connections open with parts of a header.
func TestHeadersThatTakeTooLong(t *testing.T) {
	for _, header := range []string{"", "P", "PROXY ", "PROXY TCP4 192.0.2.1", "\r", proxySignature, v2(v2Proxy, v2TCP4, v2Addrs4...)[:20]} {
		synctest.Test(t, func(t *testing.T) {
			e := startEntrance(t, 10, nil)
			e.proxies = mustParseProxies(t, "10.0.0.0/8")
			defer e.end(t)
			began := time.Now()
			conn, closed := e.listener.dialFrom("10.0.0.1:1111")
			defer conn.Close()
			var slow sync.WaitGroup
			slow.Go(func() {
				for i := range header {
					if _, err := io.WriteString(conn, header[i:i+1]); err != nil {
						return
					}
					time.Sleep(testHandshakeTime / 100)
				}
			})
			<-closed
			slow.Wait()
			if took := time.Since(began); took != testHandshakeTime {
				t.Errorf("%q: closed after %v, want %v", header, took, testHandshakeTime)
			}
			if n := e.refusals.snapshot()[refusedHandshakeTime]; n != 1 {
				t.Errorf("%q: counted %d times as too slow, want once", header, n)
			}
		})
	}
}

// TestHeaderInPieces has a header, and what follows it, come in any pieces, with
// and without TLS.
func TestHeaderInPieces(t *testing.T) {
	server, client := testTLS(t)
	for _, config := range []*tls.Config{nil, server} {
		for _, header := range []string{v1Header("203.0.113.5"), v2(v2Proxy, v2TCP4, v2Addrs4...), ""} {
			for _, size := range []int{1, 7, 1 << 10} {
				e := startEntrance(t, 10, config)
				e.proxies = mustParseProxies(t, "10.0.0.0/8")
				raw, _ := e.listener.dialFrom("10.0.0.1:1111")
				var conn net.Conn = &choppedConn{Conn: raw, first: header, size: size}
				if config != nil {
					conn = tls.Client(conn, client)
				}
				const hello = "\x00\x03pxp\x02\x02{}"
				go io.WriteString(conn, hello)
				led := <-e.streams
				got := make([]byte, len(hello))
				if _, err := io.ReadFull(led, got); err != nil || string(got) != hello {
					t.Errorf("%q in pieces of %d: read %q, %v", header, size, got, err)
				}
				if named := led.RemoteAddr().String() != "10.0.0.1:1111"; named != (header != "") {
					t.Errorf("%q in pieces of %d: connection is from %v", header, size, led.RemoteAddr())
				}
				raw.Close()
				led.Close()
				e.end(t)
			}
		}
	}
}

// choppedConn writes in pieces, and something else first.
type choppedConn struct {
	net.Conn
	first string
	size  int
}

func (c *choppedConn) Write(p []byte) (int, error) {
	all := append([]byte(c.first), p...)
	c.first = ""
	for len(all) > 0 {
		n := min(c.size, len(all))
		if _, err := c.Conn.Write(all[:n]); err != nil {
			return 0, err
		}
		all = all[n:]
	}
	return len(p), nil
}

// TestRefusalsNameTheClient looks at what is logged when a client of a proxy is
// refused.
func TestRefusalsNameTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := startEntrance(t, 1, nil)
		e.refusals.logger = slog.New(slog.NewTextHandler(&log, nil))
		e.proxies = mustParseProxies(t, "10.0.0.0/8")
		first, closed := e.listener.dialFrom("10.0.0.1:1111")
		defer first.Close()
		io.WriteString(first, v1Header("203.0.113.5")+"G")
		synctest.Wait()
		second, secondClosed := e.listener.dialFrom("10.0.0.1:2222")
		defer second.Close()
		<-closed
		io.WriteString(second, v1Header("203.0.113.6")+"\x16\x03")
		<-secondClosed
		e.end(t)
		for _, want := range []string{"reason=pending-connections remote_addr=203.0.113.5:40000", "reason=tls-on-plain-port remote_addr=203.0.113.6:40000"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%q is not in the log:\n%s", want, log.String())
			}
		}
	})
}

// TestEverybodyTrustedIsSaid starts a seed that anybody can lie to.
func TestEverybodyTrustedIsSaid(t *testing.T) {
	cfg := testConfig(t)
	cfg.TrustedProxies = []string{"0.0.0.0/0"}
	said := make(chan struct{})
	cfg.Logger = slog.New(onRecord{slog.DiscardHandler, "every host is a trusted proxy: whoever reaches the seed can pretend to be anybody", said})
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	<-said
}
