package seed

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener accepts what is dialed, in memory.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	errs  []error // what Accept fails with first
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, err
	}
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8443} }

func (l *pipeListener) dial() net.Conn {
	client, _ := l.dialTold()
	return client
}

// dialTold tells also when the accepting side has closed.
func (l *pipeListener) dialTold() (client net.Conn, closed <-chan struct{}) {
	client, server := net.Pipe()
	told := &toldConn{Conn: server, closed: make(chan struct{})}
	l.conns <- told
	return client, told.closed
}

type toldConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (c *toldConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// testEntrance is an entrance with nobody behind it: what it leads somewhere is
// in streams and requests.
type testEntrance struct {
	*entrance
	listener *pipeListener
	streams  chan net.Conn
	served   chan error
}

const testHandshakeTime = 10 * time.Second

func startEntrance(t *testing.T, most int, config *tls.Config, errs ...error) *testEntrance {
	t.Helper()
	e := &testEntrance{
		listener: newPipeListener(),
		streams:  make(chan net.Conn, 16),
		served:   make(chan error, 1),
	}
	e.listener.errs = errs
	e.entrance = &entrance{
		handshakeTime: testHandshakeTime,
		exchange:      func(c net.Conn) { e.streams <- c },
		requests:      newHandoff(e.listener.Addr()),
		turn:          newHandoff(e.listener.Addr()),
		turns:         newHandoff(e.listener.Addr()),
		pending:       pending{most: most},
		refusals:      &refusals{logger: slog.New(slog.DiscardHandler)},
		logger:        slog.New(slog.DiscardHandler),
		done:          make(chan struct{}),
	}
	go func() { e.served <- e.serve(e.listener, config, undecided) }()
	return e
}

// end closes the entrance and checks that nothing is left in it.
func (e *testEntrance) end(t *testing.T) {
	t.Helper()
	close(e.done)
	e.listener.Close()
	if err := <-e.served; err != nil {
		t.Errorf("serve: %v", err)
	}
	e.requests.Close()
	e.turn.Close()
	e.turns.Close()
	e.close()
	if n := e.pending.len(); n != 0 {
		t.Errorf("%d connections are pending after the end", n)
	}
}

// led is the next connection that was led to whoever speaks a protocol.
func (e *testEntrance) led(speaks protocol, secure bool) (led net.Conn) {
	switch {
	case speaks == httpRequest:
		led, _ = e.requests.Accept()
	case speaks == stunMessage && secure:
		led, _ = e.turns.Accept()
	case speaks == stunMessage:
		led, _ = e.turn.Accept()
	default:
		led = <-e.streams
	}
	return led
}

// testTLS is a server's configuration and the client's that trusts it.
func testTLS(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	c, err := keepCertificate(t.TempDir(), []string{"localhost", "127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.leaf())
	return c.serve(), &tls.Config{RootCAs: roots, ServerName: "localhost"}
}

// starts are what a client may begin with, and in which pieces it is written.
var starts = []struct {
	name   string
	pieces []string
	want   protocol
}{
	{"v0 at once", []string{"\x00\x03pxp\x02\x02{}"}, exchangeStream},
	{"v0 as the npm package writes it", []string{"\x00\x03", "pxp"}, exchangeStream},
	{"v0 byte by byte", []string{"\x00", "\x03", "p", "x", "p"}, exchangeStream},
	{"v0 on channel 9", []string{"H", "\x03pxp"}, exchangeStream},
	{"v0 on channel 77", []string{"\xe8", "\x04\x03pxp"}, exchangeStream},
	{"v1 at once", []string{"#PXP#\x00\x03pxp"}, exchangeStream},
	{"v1 byte by byte", []string{"#", "P", "X", "P", "#"}, exchangeStream},
	{"nonsense, which is the exchange's to refuse", []string{"nonsense"}, exchangeStream},
	{"GET", []string{"GET / HTTP/1.1\r\n\r\n"}, httpRequest},
	{"GET byte by byte", []string{"G", "E", "T", " / HTTP/1.1\r\n\r\n"}, httpRequest},
	{"HEAD", []string{"H", "EAD / HTTP/1.1\r\n\r\n"}, httpRequest},
	{"POST", []string{"POST / HTTP/1.1\r\n\r\n"}, httpRequest},
	{"OPTIONS", []string{"OPTIONS * HTTP/1.1\r\n\r\n"}, httpRequest},
	{"STUN at once", []string{stunRequest + "transaction."}, stunMessage},
	{"STUN byte by byte", strings.Split(stunRequest, ""), stunMessage},
	{"STUN in two pieces", []string{stunRequest[:6], stunRequest[6:] + "transaction."}, stunMessage},
}

func TestEntranceLeadsByTheFirstBytes(t *testing.T) {
	server, client := testTLS(t)
	for _, secure := range []bool{false, true} {
		for _, start := range starts {
			name := start.name
			if secure {
				name += " over TLS"
			}
			t.Run(name, func(t *testing.T) {
				var config *tls.Config
				if secure {
					config = server
				}
				e := startEntrance(t, 10, config)
				defer e.end(t)
				conn := e.listener.dial()
				if secure {
					conn = tls.Client(conn, client)
				}
				defer conn.Close()
				go func() {
					for _, piece := range start.pieces {
						io.WriteString(conn, piece)
					}
				}()

				led := e.led(start.want, secure)
				defer led.Close()
				want := strings.Join(start.pieces, "")
				got := make([]byte, len(want))
				if _, err := io.ReadFull(led, got); err != nil || string(got) != want {
					t.Fatalf("read %q, %v; want %q, all from the first byte on", got, err, want)
				}
				if pending := e.pending.len(); (start.want == httpRequest) != (pending == 1) {
					t.Errorf("%d connections are pending; a request stays in, a stream does not", pending)
				}
				if start.want == httpRequest {
					e.requestState(led, http.StateClosed)
				}
			})
		}
	}
}

func TestEntranceClosesWhoSaysNothing(t *testing.T) {
	server, client := testTLS(t)
	drip := func(conn net.Conn, text string) {
		for i := range text {
			if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}
	for _, c := range []struct {
		name   string
		config *tls.Config
		begin  func(net.Conn)
	}{
		{"silence", nil, func(net.Conn) {}},
		{"one capital letter", nil, func(conn net.Conn) { io.WriteString(conn, "H") }},
		{"what may become STUN", nil, func(conn net.Conn) { io.WriteString(conn, stunRequest[:headBytes-1]) }},
		{"silence before TLS", server, func(net.Conn) {}},
		{"TLS at a byte a second", server, func(conn net.Conn) { drip(conn, "\x16\x03\x01\x02\x00"+strings.Repeat("\x01", 512)) }},
		{"silence after TLS", server, func(conn net.Conn) { tls.Client(conn, client).Handshake() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := startEntrance(t, 10, c.config)
				defer e.end(t)
				began := time.Now()
				conn, closed := e.listener.dialTold()
				defer conn.Close()
				var client sync.WaitGroup
				client.Go(func() { c.begin(conn) })
				<-closed
				if took := time.Since(began); took != testHandshakeTime {
					t.Errorf("closed after %v, want %v", took, testHandshakeTime)
				}
				client.Wait()
				if n := e.refusals.snapshot()[refusedHandshakeTime]; n != 1 {
					t.Errorf("counted %d times as too slow, want once", n)
				}
				if len(e.streams) != 0 {
					t.Error("the exchange was given a connection that said nothing")
				}
			})
		})
	}
}

func TestEntranceHasRoomForTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEntrance(t, 2, nil)
		defer e.end(t)
		var conns []net.Conn
		for range 4 {
			conn := e.listener.dial()
			defer conn.Close()
			conns = append(conns, conn)
			synctest.Wait()
		}
		for _, conn := range conns[:2] {
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("read from one of the oldest: %v, want EOF", err)
			}
		}
		if _, err := io.WriteString(conns[3], "\x00\x03pxp"); err != nil {
			t.Errorf("write on the newest: %v", err)
		}
		(<-e.streams).Close()
		if n := e.refusals.snapshot()[refusedPending]; n != 2 {
			t.Errorf("counted %d as too many, want 2", n)
		}
	})
}

func TestEntranceDoesNotWaitToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs []error
		for range 20 {
			errs = append(errs, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE})
		}
		began := time.Now()
		startEntrance(t, 2, nil, errs...).end(t)
		if took := time.Since(began); took != 0 {
			t.Errorf("the end took %v", took)
		}
	})
}

func TestEntranceReportsAListenerThatDied(t *testing.T) {
	broken := errors.New("broken")
	e := startEntrance(t, 2, nil, broken)
	if err := <-e.served; err != broken {
		t.Errorf("serve: %v, want %v", err, broken)
	}
	e.served <- nil
	e.end(t)
}

func TestEntranceRefusesTheWrongPort(t *testing.T) {
	server, client := testTLS(t)
	t.Run("TLS on the port without", func(t *testing.T) {
		e := startEntrance(t, 2, nil)
		defer e.end(t)
		conn := tls.Client(e.listener.dial(), client)
		defer conn.Close()
		if err := conn.Handshake(); err == nil {
			t.Error("the handshake went through")
		}
		if n := e.refusals.snapshot()[refusedTLSOnPlain]; n != 1 {
			t.Errorf("counted %d times, want once", n)
		}
	})
	t.Run("HTTP on the port with TLS", func(t *testing.T) {
		e := startEntrance(t, 2, server)
		defer e.end(t)
		conn := e.listener.dial()
		defer conn.Close()
		go io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
		var answer bytes.Buffer
		io.Copy(&answer, conn)
		if !strings.Contains(answer.String(), "400 Bad Request") || !strings.Contains(answer.String(), "wss://") {
			t.Errorf("answer is %q, want a hint at TLS", answer.String())
		}
	})
	t.Run("the exchange on the port with TLS", func(t *testing.T) {
		e := startEntrance(t, 2, server)
		defer e.end(t)
		conn := e.listener.dial()
		defer conn.Close()
		go io.WriteString(conn, "\x00\x03pxp\x02\x02{}")
		if answer, err := io.ReadAll(conn); err != nil || len(answer) > 0 && answer[0] == 'H' {
			t.Errorf("answer is %q, %v, want none that is HTTP", answer, err)
		}
	})
}

func TestOnlyHTTP1IsOffered(t *testing.T) {
	server, client := testTLS(t)
	e := startEntrance(t, 2, server)
	defer e.end(t)
	config := client.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	conn := tls.Client(e.listener.dial(), config)
	defer conn.Close()
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("negotiated %q, want http/1.1", got)
	}
}

func TestConnKeepsWhatTCPCan(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer dialed.Close()
	raw, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := tcpConn{&conn{headed: headed{Conn: raw}}}
	defer c.Close()
	buffers := net.Buffers{[]byte("one "), []byte("two")}
	if n, err := c.WriteBuffers(&buffers); n != 7 || err != nil {
		t.Errorf("WriteBuffers = %d, %v", n, err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Errorf("CloseWrite: %v", err)
	}
	if got, err := io.ReadAll(dialed); string(got) != "one two" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}
