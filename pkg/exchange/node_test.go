package exchange

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/memory"
)

// world is an in-memory network of nodes in virtual time.
type world struct {
	t       *testing.T
	network *memory.Network
}

// inWorld runs a test in virtual time. Every node is closed at its end.
func inWorld(t *testing.T, test func(*testing.T, *world)) {
	synctest.Test(t, func(t *testing.T) {
		test(t, &world{t, memory.NewNetwork()})
	})
}

// node is one exchange and what happened to it.
type node struct {
	*Exchange
	t     *testing.T
	host  string
	peers chan *Peer

	mu     sync.Mutex
	errors []error
}

// node makes a node at an address. It knows tcp and websocket, both of which are
// memory here, and webrtc.
func (w *world) node(host string, change ...func(*Config)) *node {
	w.t.Helper()
	n := &node{t: w.t, host: host, peers: make(chan *Peer, 64)}
	cfg := Config{
		Transports: []transports.Transport{
			w.network.New(memory.Config{Name: transports.WebSocket, Address: host}).Direct(),
			w.network.New(memory.Config{Name: transports.WebRTC, Address: host}).Negotiated(),
			w.network.New(memory.Config{Name: transports.TCP, Address: host}).Direct(),
		},
		OnPeer: func(p *Peer) { n.peers <- p },
		OnError: func(err error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.errors = append(n.errors, err)
		},
		Logger: slog.New(slog.NewTextHandler(testWriter{w.t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&cfg)
	}
	ex, err := New("net", cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { ex.Close() })
	n.Exchange = ex
	return n.knows(map[string]string{"localhost": "127.0.0.1 ::1"}) // virtual time and the machine's resolver do not mix
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

func dialsV1(cfg *Config) { cfg.Protocol = V1 }

func limited(name, value string) func(*Config) {
	return func(cfg *Config) {
		if err := cfg.Limits.Set(name, value); err != nil {
			panic(err)
		}
	}
}

// seed is a node that accepts tcp on port 1000.
func (w *world) seed(host string, change ...func(*Config)) *node {
	w.t.Helper()
	n := w.node(host, change...)
	n.accept(transports.TCP, 1000)
	return n
}

func (n *node) accept(transport string, port int) {
	n.t.Helper()
	if err := n.Accept(context.Background(), transport, transports.Options{Port: port, Host: n.host}); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) connect(to *node) *Peer {
	n.t.Helper()
	p, err := n.Connect(context.Background(), transports.TCP, to.host, transports.Options{Port: 1000})
	if err != nil {
		n.t.Fatal(err)
	}
	return p
}

// next returns the next peer that the node was told of.
func (n *node) next() *Peer {
	n.t.Helper()
	synctest.Wait()
	select {
	case p := <-n.peers:
		return p
	default:
		n.t.Fatal("no peer")
		return nil
	}
}

// talk sends bytes both ways between two ends of one connection.
func talk(t *testing.T, a, b io.ReadWriter) {
	t.Helper()
	for _, way := range []struct{ from, to io.ReadWriter }{{a, b}, {b, a}} {
		const message = "some application data"
		if _, err := io.WriteString(way.from, message); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(message))
		if _, err := io.ReadFull(way.to, got); err != nil || string(got) != message {
			t.Fatalf("read %q, %v", got, err)
		}
	}
}
