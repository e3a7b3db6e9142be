package seed

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/peerexchange/peerexchange/internal/turn"
	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// long is more than a client that drips has time to say.
var long = strings.Repeat("a", 100_000)

// slowClients are ways to hold a connection for as long as possible: what a client says
// at once, and what it says then, a byte at a time.
var slowClients = []struct {
	name        string
	at          string
	first, then string
}{
	{"TLS handshake", "raw", "", "\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + long},
	{"nothing after TLS", "tls", "", ""},
	{"request line", "tls", "", "GET /" + long},
	{"request header", "tls", "GET / HTTP/1.1\r\nHost: seed\r\n", "X-A: " + long},
	{"request body", "plain", "POST / HTTP/1.1\r\nHost: seed\r\nContent-Length: 1000\r\n\r\n", long},
	{"nothing after an answer", "plain", "GET / HTTP/1.1\r\nHost: seed\r\n\r\n", ""},
	{"upgrade to a websocket", "plain", "GET / HTTP/1.1\r\nHost: seed\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", "X-A: " + long},
	{"nothing in a websocket", "websocket", "", ""},
	{"hello in a websocket", "websocket", "", "\x00\x03pxp" + v0Data + `{"` + long},
	{"v0", "tls", "", "\x00\x03pxp" + v0Data + `{"` + long},
	{"v0 frames without an end", "plain", "\x00\x03pxp", strings.Repeat("\x02\x01 ", len(long))},
	{"nothing after v0's channel", "plain", "\x00\x03pxp", ""},
	{"v1", "plain", "#PXP#", "\x00\x03pxp" + v0Data + `["` + long},
	{"nothing after v1's first bytes", "tls", "#PXP#", ""},
	{"TURN on the port with TLS", "tls", stunSlow, long},
	{"TURN on the port without", "plain", stunSlow, long},
	{"TURN on its own port", "turn", stunSlow, long},
	{"nothing on TURN's own port", "turn", "", ""},
	{"STUN requests without an end", "turn", "", strings.Repeat(stunRequest+"transaction.", 1000)},
}

const (
	v0Data   = "\x02\x80\x7d"                                         // of 16,000 bytes on the control channel
	stunSlow = "\x00\x03\x03\xe8\x21\x12\xa4\x42transaction.\x00\x20" // an Allocate request of 1,000 bytes
)

// TestSlowClients come to an end: each is closed though it goes on, and whoever is in
// earnest meanwhile is not concerned.
func TestSlowClients(t *testing.T) {
	cfg := turnConfig(t)
	cfg.Limits.HandshakeTime = 3 * time.Second // enough for one in earnest
	s := startSeed(t, cfg)
	node := newNode(t, exchange.V0)
	kept, err := node.Connect(testContext(t), transports.WebSocket, "127.0.0.1", transports.Options{Port: s.secure, Secure: true, TLS: s.trust(t)})
	if err != nil {
		t.Fatal(err)
	}

	var clients sync.WaitGroup
	for _, c := range slowClients {
		began := time.Now()
		conn, err := s.dialSlow(t, c.at)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		clients.Go(func() {
			defer conn.Close()
			if err := drip(conn, c.first, c.then); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if took := time.Since(began); took < cfg.Limits.HandshakeTime {
				t.Errorf("%s: closed after %v, for another reason than its time", c.name, took)
			}
		})
	}
	clients.Wait()

	if _, err := kept.GetNewPeer(testContext(t)); !errors.Is(err, exchange.ErrNoCandidates) {
		t.Errorf("a peer from before is told %v", err)
	}
	s.eventually(t, "seed_pending_connections", 0)
	for _, transport := range turn.Transports() {
		s.eventually(t, "seed_turn_connections "+transport, 0)
	}
	if n := len(s.exchange.Peers()); n != 1 {
		t.Errorf("the seed has %d peers, want the one from before", n)
	}
}

// dialSlow connects to one of the ports, as far as it takes for a client to say something.
func (s *testSeed) dialSlow(t *testing.T, at string) (net.Conn, error) {
	t.Helper()
	loopback := func(port any) string { return fmt.Sprintf("127.0.0.1:%v", port) }
	switch at {
	case "raw":
		return net.Dial("tcp", loopback(s.secure))
	case "tls":
		return tls.Dial("tcp", loopback(s.secure), s.trust(t))
	case "turn":
		return net.Dial("tcp", s.turn.server.Addrs(turn.TransportTCP)[0].String())
	case "websocket":
		ws, res, err := websocket.DefaultDialer.Dial("ws://"+loopback(s.plain), nil)
		if err != nil {
			return nil, err
		}
		res.Body.Close()
		return &slowWebsocket{ws.NetConn(), ws}, nil
	}
	return net.Dial("tcp", loopback(s.plain))
}

// slowWebsocket has a message for each write.
type slowWebsocket struct {
	net.Conn
	ws *websocket.Conn
}

func (c *slowWebsocket) Write(p []byte) (int, error) {
	return len(p), c.ws.WriteMessage(websocket.BinaryMessage, p)
}

// drip says something at once and then a byte every now and then, until the other side
// has closed the connection.
func drip(conn net.Conn, first, text string) error {
	closed := make(chan error, 1)
	go func() {
		conn.SetReadDeadline(time.Now().Add(stepTime))
		_, err := io.Copy(io.Discard, bufio.NewReader(conn))
		closed <- err
	}()
	if _, err := io.WriteString(conn, first); err != nil {
		return fmt.Errorf("closed at once: %w", err)
	}
	next := time.NewTicker(20 * time.Millisecond)
	defer next.Stop()
	for i := 0; ; i++ {
		select {
		case err := <-closed:
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return fmt.Errorf("still open after %d bytes more: %w", i, err)
			}
			return nil
		case <-next.C:
			if i < len(text) {
				io.WriteString(conn, text[i:i+1]) // what it says about the end, the reader knows too
			}
		}
	}
}
