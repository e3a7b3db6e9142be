package clients

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// GoNode is an exchange of this module in the test's process.
type GoNode struct {
	*book
	// Exchange is the node itself.
	Exchange *exchange.Exchange

	lab *Lab

	mu sync.Mutex
	// Guarded by mu.
	ids   map[*exchange.Peer]int
	talks []*goTalk // by id, from 1
}

type goTalk struct {
	*talk
	peer  *exchange.Peer
	ended chan struct{}
}

// GoConfig is what a [GoNode] is made with.
type GoConfig struct {
	// Transports is nil for websocket, webrtc and tcp. OnPeer is the node's own.
	exchange.Config
	// WebRTC configures that of the transports.
	WebRTC webrtc.Config
}

// StartGo starts a node that dials in the given generation. It closes with the test.
func (l *Lab) StartGo(t *testing.T, gen Generation, name string, change ...func(*GoConfig)) *GoNode {
	t.Helper()
	n := &GoNode{book: newBook(name), lab: l, ids: make(map[*exchange.Peer]int)}
	var log Tail
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg := GoConfig{
		Config: exchange.Config{
			TLS:     l.ClientTLS(),
			OnPeer:  func(p *exchange.Peer) { n.add(p) },
			OnError: func(err error) { fmt.Fprintln(&log, "OnError:", err) },
			Logger:  logger,
		},
		WebRTC: webrtc.Config{TLS: l.ClientTLS(), Logger: logger},
	}
	if gen == V1 {
		cfg.Protocol = exchange.V1
	}
	for _, f := range change {
		f(&cfg)
	}
	if cfg.Transports == nil {
		rtc := webrtc.New(cfg.WebRTC)
		l.closeLater(rtc)
		cfg.Transports = []transports.Transport{websocket.New(websocket.Config{}), rtc, tcp.New(tcp.Config{})}
	}
	ex, err := exchange.New(l.networkOf(t), cfg.Config)
	if err != nil {
		t.Fatal(err)
	}
	n.Exchange = ex
	t.Cleanup(func() {
		ex.Close()
		n.mu.Lock()
		talks := n.talks
		n.mu.Unlock()
		for _, k := range talks {
			<-k.ended
		}
		if t.Failed() {
			t.Logf("%s logged:\n%s", name, log.String())
		}
	})
	return n
}

// Peer is the connection of an id.
func (n *GoNode) Peer(id int) (*exchange.Peer, error) {
	k, err := n.talkTo(id)
	if err != nil {
		return nil, err
	}
	return k.peer, nil
}

// IsGo implements [Node].
func (n *GoNode) IsGo() bool { return true }

// InNode implements [Node].
func (n *GoNode) InNode() bool { return false }

// add gives a peer its id and talks to it. It is called by OnPeer and by
// whoever got the peer from a call, whichever comes first.
func (n *GoNode) add(p *exchange.Peer) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id, ok := n.ids[p]; ok {
		return id
	}
	id := len(n.talks) + 1
	n.ids[p] = id
	k := &goTalk{peer: p, ended: make(chan struct{})}
	k.talk = newTalk(p, n.owner, func(name string) {
		n.update(id, func(p *PeerInfo) { p.Name = name })
	})
	n.talks = append(n.talks, k)
	outgoing := p.Outgoing()
	n.update(id, func(p *PeerInfo) { p.Connected, p.Incoming = true, !outgoing })
	go func() {
		defer close(k.ended)
		k.serve()
		p.Close()
		n.update(id, func(p *PeerInfo) { p.Connected = false })
	}()
	return id
}

func (n *GoNode) talkTo(id int) (*goTalk, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id < 1 || id > len(n.talks) {
		return nil, fmt.Errorf("%s has no peer %d", n.owner, id)
	}
	return n.talks[id-1], nil
}

// Troubles is empty: what this module reports through OnError is in the log,
// and tests of its own look at it.
func (n *GoNode) Troubles() []string { return nil }

// Accept implements [Node].
func (n *GoNode) Accept(ctx context.Context, transport string, secure bool) (Endpoint, error) {
	to := Endpoint{Transport: transport, Host: "127.0.0.1", Secure: secure}
	if transport == transports.WebRTC {
		return to, n.Exchange.Accept(ctx, transport, transports.Options{})
	}
	opts := transports.Options{Host: to.Host, Secure: secure}
	if secure {
		opts.TLS = n.lab.ServerTLS()
	}
	err := onFreePort(func(port int) error {
		to.Port, opts.Port = port, port
		return n.Exchange.Accept(ctx, transport, opts)
	})
	return to, err
}

// Unaccept implements [Node].
func (n *GoNode) Unaccept(_ context.Context, transport string) error {
	return n.Exchange.Unaccept(transport)
}

// Connect implements [Node].
func (n *GoNode) Connect(ctx context.Context, to Endpoint) (int, error) {
	p, err := n.Exchange.Connect(ctx, to.Transport, to.Host, transports.Options{Port: to.Port, Secure: to.Secure, Token: to.Token})
	if err != nil {
		return 0, fmt.Errorf("%s connect: %w", n.owner, err)
	}
	return n.add(p), nil
}

// GetNewPeer implements [Node].
func (n *GoNode) GetNewPeer(ctx context.Context, via int) (int, error) {
	ask := n.Exchange.GetNewPeer
	if via != 0 {
		k, err := n.talkTo(via)
		if err != nil {
			return 0, err
		}
		ask = k.peer.GetNewPeer
	}
	p, err := ask(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s getNewPeer: %w", n.owner, err)
	}
	return n.add(p), nil
}

// Request implements [Node].
func (n *GoNode) Request(ctx context.Context, peer, bytes int) (string, error) {
	k, err := n.talkTo(peer)
	if err != nil {
		return "", err
	}
	from, err := k.talk.Request(ctx, bytes, k.ended)
	if err != nil {
		return "", fmt.Errorf("%s request: %w (peer: %v)", n.owner, err, k.peer.Err())
	}
	return from, nil
}

// Disconnect implements [Node].
func (n *GoNode) Disconnect(_ context.Context, peer int) error {
	k, err := n.talkTo(peer)
	if err != nil {
		return err
	}
	return k.peer.Close()
}
