package websocket_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"

	"github.com/peerexchange/peerexchange/pkg/transports/internal/testca"
	"github.com/peerexchange/peerexchange/pkg/transports/transport"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// serve runs a handler on an HTTP server, and gives the server's address.
func serve(t *testing.T, config websocket.Config) (*websocket.Handler, *httptest.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	handler := websocket.NewHandler(server.Listener.Addr(), config)
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(func() { handler.Close(); server.Close() })
	return handler, server
}

// optionsOf is what to dial a server with.
func optionsOf(server *httptest.Server) transport.Options {
	return transport.Options{Port: server.Listener.Addr().(*net.TCPAddr).Port}
}

// dialGorilla connects with the other implementation.
func dialGorilla(t *testing.T, dialer gorilla.Dialer, server *httptest.Server, path string, header http.Header) (*gorilla.Conn, *http.Response) {
	t.Helper()
	conn, response, err := dialer.DialContext(t.Context(), "ws://"+server.Listener.Addr().String()+path, header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, response
}

func accept(t *testing.T, l net.Listener) *websocket.Conn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*websocket.Conn)
}

func TestAnyPathAnyOriginNoSubprotocol(t *testing.T) {
	handler, server := serve(t, websocket.Config{})
	dialer := gorilla.Dialer{Subprotocols: []string{"chat"}, EnableCompression: true}
	_, response := dialGorilla(t, dialer, server, "/any/path?at=all", http.Header{"Origin": {"https://example.com"}})
	for _, name := range []string{"Sec-Websocket-Protocol", "Sec-Websocket-Extensions"} {
		if got, ok := response.Header[name]; ok {
			t.Errorf("answer has %s %q, want none", name, got)
		}
	}
	conn := accept(t, handler)
	if got := transport.Browser(conn).Origin(); got != "https://example.com" {
		t.Errorf("Origin is %q, want https://example.com", got)
	}
}

func TestNoOriginIfNoPage(t *testing.T) {
	handler, server := serve(t, websocket.Config{})
	dialGorilla(t, gorilla.Dialer{}, server, "/", nil)
	if got := accept(t, handler).Origin(); got != "" {
		t.Errorf("Origin is %q, want none", got)
	}
}

func TestMessagesOfAnotherImplementation(t *testing.T) {
	for _, compression := range []bool{false, true} {
		t.Run(fmt.Sprintf("compression %v", compression), func(t *testing.T) {
			handler, server := serve(t, websocket.Config{Compression: compression})
			client, _ := dialGorilla(t, gorilla.Dialer{EnableCompression: compression}, server, "/", nil)
			conn := accept(t, handler)
			speakGorilla(t, client, conn)
		})
	}
}

func TestDialAnotherImplementation(t *testing.T) {
	for _, compression := range []bool{false, true} {
		t.Run(fmt.Sprintf("compression %v", compression), func(t *testing.T) {
			accepted := make(chan *gorilla.Conn, 1)
			upgrader := gorilla.Upgrader{EnableCompression: compression}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" || r.Header.Get("Sec-Websocket-Protocol") != "" {
					t.Errorf("request for %s with subprotocol %q, want / and none", r.URL, r.Header.Get("Sec-Websocket-Protocol"))
				}
				conn, err := upgrader.Upgrade(w, r, nil)
				if err != nil {
					t.Error(err)
				}
				accepted <- conn
			}))
			defer server.Close()
			tr := websocket.New(websocket.Config{Compression: true})
			conn, err := tr.Dial(t.Context(), "127.0.0.1", optionsOf(server))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			other := <-accepted
			defer other.Close()
			speakGorilla(t, other, conn)
		})
	}
}

// speakGorilla sends messages of all kinds both ways, and ends with Close.
func speakGorilla(t *testing.T, other *gorilla.Conn, conn net.Conn) {
	t.Helper()
	big := strings.Repeat("big message ", 20_000)
	sent := make(chan error, 1)
	go func() {
		sent <- errors.Join(
			other.WriteMessage(gorilla.BinaryMessage, []byte("binary ")),
			other.WriteMessage(gorilla.BinaryMessage, nil),
			other.WriteMessage(gorilla.TextMessage, []byte("text ")),
			writeFragments(other, "in ", "three ", "fragments "),
			other.WriteControl(gorilla.PingMessage, []byte("are you there"), time.Time{}),
			other.WriteMessage(gorilla.BinaryMessage, []byte(big)),
		)
	}()
	want := "binary text in three fragments " + big
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("got %d bytes, %v; want the %d that were sent", len(got), err, len(want))
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}

	ponged := make(chan string, 1)
	other.SetPongHandler(func(data string) error { ponged <- data; return nil })
	wrote := make(chan error, 1)
	go func() {
		_, err1 := conn.Write([]byte("small"))
		_, err2 := conn.Write([]byte(big))
		if data := <-ponged; data != "are you there" {
			t.Errorf("pong says %q, want what the ping said", data)
		}
		wrote <- errors.Join(err1, err2, conn.Close())
	}()
	var read strings.Builder
	for {
		kind, message, err := other.ReadMessage()
		if gorilla.IsCloseError(err, gorilla.CloseNormalClosure) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if kind != gorilla.BinaryMessage || len(message) > 64<<10 {
			t.Errorf("message of %d bytes and type %d, want at most 65536 and type 2", len(message), kind)
		}
		read.Write(message)
	}
	if read.String() != "small"+big {
		t.Errorf("other side got %d bytes, want %d", read.Len(), len("small"+big))
	}
	if err := <-wrote; err != nil {
		t.Errorf("write and close: %v", err)
	}
	// TCP ends although nothing answers the Close; otherwise this would block.
	if n, err := other.NetConn().Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes after Close, want the end of TCP", n)
	}
}

func writeFragments(conn *gorilla.Conn, fragments ...string) error {
	w, err := conn.NextWriter(gorilla.BinaryMessage)
	if err != nil {
		return err
	}
	for _, fragment := range fragments {
		if _, err := io.WriteString(w, fragment); err != nil {
			return err
		}
	}
	return w.Close()
}

func TestCompressionBetweenOurselves(t *testing.T) {
	tr := websocket.New(websocket.Config{Compression: true})
	handler, server := serve(t, websocket.Config{Compression: true})
	conn, err := tr.Dial(t.Context(), "127.0.0.1", optionsOf(server))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	accepted := accept(t, handler)
	want := strings.Repeat("the same again and ", 50_000)
	go func() {
		io.WriteString(conn, want)
		conn.Close()
	}()
	got, err := io.ReadAll(accepted)
	if err != nil || string(got) != want {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, len(want))
	}
}

func TestAcceptedOutlivesTheServer(t *testing.T) {
	handler, server := serve(t, websocket.Config{})
	client, _ := dialGorilla(t, gorilla.Dialer{}, server, "/", nil)
	conn := accept(t, handler)
	handler.Close()
	if err := server.Config.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, message, err := client.ReadMessage(); string(message) != "still here" {
		t.Errorf("got %q, %v", message, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Run("no websocket", func(t *testing.T) {
		_, server := serve(t, websocket.Config{})
		response, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUpgradeRequired {
			t.Errorf("answer is %s, want 426", response.Status)
		}
	})
	t.Run("backlog full", func(t *testing.T) {
		handler, server := serve(t, websocket.Config{Backlog: 1})
		first, _ := dialGorilla(t, gorilla.Dialer{}, server, "/", nil)
		wantStatus(t, server, 503)
		accept(t, handler)
		dialGorilla(t, gorilla.Dialer{}, server, "/", nil)
		accept(t, handler)
		if err := first.WriteMessage(gorilla.BinaryMessage, []byte("x")); err != nil {
			t.Error(err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		handler, server := serve(t, websocket.Config{})
		waiting, _ := dialGorilla(t, gorilla.Dialer{}, server, "/", nil)
		handler.Close()
		wantStatus(t, server, 503)
		if _, _, err := waiting.ReadMessage(); !gorilla.IsCloseError(err, gorilla.CloseGoingAway) {
			t.Errorf("connection that nobody accepted: %v, want Close 1001", err)
		}
	})
	t.Run("redirect", func(t *testing.T) {
		server := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusFound))
		defer server.Close()
		wantStatus(t, server, 302)
	})
	t.Run("long Origin", func(t *testing.T) {
		_, server := serve(t, websocket.Config{})
		_, response, err := gorilla.DefaultDialer.Dial("ws://"+server.Listener.Addr().String(), http.Header{"Origin": {strings.Repeat("x", 600)}})
		if err == nil || response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("dial: %v, want 431", err)
		}
	})
}

func wantStatus(t *testing.T, server *httptest.Server, code int) {
	t.Helper()
	_, err := websocket.New(websocket.Config{}).Dial(t.Context(), "127.0.0.1", optionsOf(server))
	status := (*websocket.StatusError)(nil)
	if !errors.As(err, &status) || status.Code != code {
		t.Errorf("Dial: %v, want status %d", err, code)
	}
}

// answering is a server that answers every connection with the same bytes,
// whatever it is asked.
func answering(t *testing.T, answer func(request *http.Request) string) transport.Options {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(conn, answer(r))
		io.Copy(io.Discard, conn)
		conn.Close()
	}))
	t.Cleanup(server.Close)
	return optionsOf(server)
}

func TestFramesRightAfterTheAnswer(t *testing.T) {
	opts := answering(t, func(r *http.Request) string {
		return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Accept: " + acceptKey(r) + "\r\n\r\n" + "\x82\x05hello" + "\x88\x02\x03\xe8"
	})
	conn, err := websocket.New(websocket.Config{}).Dial(t.Context(), "127.0.0.1", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil {
		t.Errorf("read %q, %v; want hello", got, err)
	}
}

func TestWrongAnswer(t *testing.T) {
	opts := answering(t, func(*http.Request) string {
		return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: nonsense\r\n\r\n"
	})
	if _, err := websocket.New(websocket.Config{}).Dial(t.Context(), "127.0.0.1", opts); err == nil {
		t.Error("Dial succeeds")
	}
}

// TestDialIsCancelledInTheHandshake dials a server that never answers.
func TestDialIsCancelledInTheHandshake(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Read(make([]byte, 1))
		cancel()
		io.Copy(io.Discard, conn)
	}()
	_, err = websocket.New(websocket.Config{}).Dial(ctx, "127.0.0.1", transport.Options{Port: l.Addr().(*net.TCPAddr).Port})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Dial: %v, want context.Canceled", err)
	}
}

// TestSlowRequestIsCut checks that who sends half a request does not stay.
func TestSlowRequestIsCut(t *testing.T) {
	tr := websocket.New(websocket.Config{HandshakeTimeout: 10 * time.Millisecond})
	l, err := tr.Listen(t.Context(), transport.Options{Host: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n")
	io.ReadAll(conn) // blocks for ever otherwise
}

func TestTLSIsChecked(t *testing.T) {
	tr := websocket.New(websocket.Config{})
	ca, stranger := testca.New(t), testca.New(t)
	if _, err := tr.Listen(t.Context(), transport.Options{Host: "127.0.0.1", Secure: true}); err == nil {
		t.Error("Listen with TLS and no certificate succeeds")
	}
	l, err := tr.Listen(t.Context(), transport.Options{Host: "127.0.0.1", Secure: true, TLS: ca.Server(t, "seed.example")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	named := ca.Client()
	named.ServerName = "seed.example"
	named.NextProtos = []string{"h2"} // as http.Transport leaves it
	for _, test := range []struct {
		name   string
		config *tls.Config
		ok     bool
	}{
		{"the right name", named, true},
		{"the name dialed, which the certificate does not have", ca.Client(), false},
		{"another authority", stranger.Client(), false},
		{"the system's authorities", nil, false},
	} {
		conn, err := tr.Dial(t.Context(), "127.0.0.1", transport.Options{
			Port: l.Addr().(*net.TCPAddr).Port, Secure: true, TLS: test.config,
		})
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil {
			conn.Close()
		}
	}
}
