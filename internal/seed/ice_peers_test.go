package seed

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/internal/turn"
	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/transport"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// TestRelayOnlyWithoutConfiguration connects two nodes that show nobody their
// addresses and know nothing but a URL of the seed.
func TestRelayOnlyWithoutConfiguration(t *testing.T) {
	cfg := turnConfig(t)
	cfg.WebRTCListen = "" // the two are to meet each other
	s := startSeed(t, cfg)
	peers := make(chan *exchange.Peer, 8)
	var nodes [2]*exchange.Exchange
	for i := range nodes {
		ways := webrtc.New(webrtc.Config{RelayOnly: true})
		t.Cleanup(func() { ways.Close() })
		ex, err := exchange.New(cfg.NetworkID, exchange.Config{
			Transports: []transports.Transport{websocket.New(websocket.Config{}), ways},
			OnPeer: func(p *exchange.Peer) {
				if i == 1 && p.Transport() == transports.WebRTC {
					peers <- p
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ex.Close() })
		nodes[i] = ex
	}
	if err := nodes[1].Accept(t.Context(), transports.WebRTC, transports.Options{}); err != nil {
		t.Fatal(err)
	}
	for i := range nodes {
		link, err := nodes[1-i].ConnectURL(testContext(t), fmt.Sprintf("ws://127.0.0.1:%d", s.plain))
		if err != nil {
			t.Fatal(err)
		}
		if link.Path() != exchange.PathDirect {
			t.Errorf("the path to the seed is %v", link.Path())
		}
	}
	s.await(testContext(t), t, 2)
	p, err := nodes[0].GetNewPeer(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	other := <-peers
	for _, end := range []*exchange.Peer{p, other} {
		if end.Path() != exchange.PathTURN {
			t.Errorf("the path from %s is %v", end.LocalAddr(), end.Path())
		}
	}
	const text = "through the seed"
	if _, err := io.WriteString(p, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(other, got); err != nil || string(got) != text {
		t.Fatalf("got %q, %v", got, err)
	}
	if got := gather(t, s)["seed_ice_sent_total"]; got != 2 {
		t.Errorf("sent ICE servers %v times", got)
	}
}

// listener notes the ICE servers that a node is to use. It negotiates with nobody.
type listener struct {
	mu sync.Mutex
	// Guarded by mu.
	servers []transport.ICEServer
	until   time.Time
}

func (*listener) Name() string { return transports.WebRTC }

func (l *listener) UseICEServers(_ string, servers []transport.ICEServer, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(servers) > 0 {
		l.servers, l.until = servers, until
	}
}

// TestICEForPeers has the servers named by where a peer reached the seed, and the
// credentials be its own.
func TestICEForPeers(t *testing.T) {
	cfg := turnConfig(t)
	cfg.TrustedProxies = []string{"127.0.0.1"}
	s := startSeed(t, cfg)
	udp := portOf(s.turn.server.Addrs(turn.TransportUDP)[0])
	for _, c := range []struct {
		transport, host string
		secure          bool
		turn, turns     string
	}{
		{transports.WebSocket, "localhost", true, "localhost:" + udp, fmt.Sprint("localhost:", s.secure)},
		{transports.WebSocket, "127.0.0.1", false, "127.0.0.1:" + udp, fmt.Sprint("127.0.0.1:", s.secure)},
		{transports.TCP, "localhost", true, "localhost:" + udp, fmt.Sprint("localhost:", s.secure)},
		{transports.TCP, "127.0.0.1", true, "127.0.0.1:" + udp, fmt.Sprint("127.0.0.1:", s.secure)},
		{transports.TCP, "localhost", false, "127.0.0.1:" + udp, fmt.Sprint("127.0.0.1:", s.secure)},
	} {
		var l listener
		ex, err := exchange.New(cfg.NetworkID, exchange.Config{
			Transports: []transports.Transport{websocket.New(websocket.Config{}), tcp.New(tcp.Config{}), &l},
		})
		if err != nil {
			t.Fatal(err)
		}
		opts := transports.Options{Port: s.plain}
		if c.secure {
			opts = transports.Options{Port: s.secure, Secure: true, TLS: s.trust(t)}
		}
		link, err := ex.Connect(testContext(t), c.transport, c.host, opts)
		if err != nil {
			t.Fatal(err)
		}
		// The servers come before the answer.
		if _, err := link.GetNewPeer(testContext(t)); err == nil {
			t.Error("there is a peer")
		}
		ex.Close()
		if len(l.servers) != 2 || len(l.servers[1].URLs) != 3 {
			t.Fatalf("%+v: got %+v", c, l.servers)
		}
		if urls := l.servers[1].URLs; urls[0] != "turn:"+c.turn+"?transport=udp" || urls[2] != "turns:"+c.turns+"?transport=tcp" {
			t.Errorf("%+v: got %v", c, urls)
		}
		if name := s.ice.name(netip.MustParseAddr("127.0.0.1")); !strings.HasSuffix(l.servers[1].Username, ":"+name) {
			t.Errorf("%+v: username is %s, want the name %s", c, l.servers[1].Username, name)
		}
		if left := time.Until(l.until); left <= 0 || left > time.Hour {
			t.Errorf("%+v: good for %v", c, left)
		}
	}
}
