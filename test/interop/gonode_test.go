//go:build interop

package interop

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

// goNode is an exchange of this module in the test's process.
type goNode struct {
	*book
	ex *exchange.Exchange

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

// startGo starts a node that dials in the given generation. It closes with the test.
func startGo(t *testing.T, gen generation, name string, change ...func(*exchange.Config)) *goNode {
	t.Helper()
	n := &goNode{book: newBook(name), ids: make(map[*exchange.Peer]int)}
	var log tail
	rtc := webrtc.New(webrtc.Config{})
	suite.closeLater(rtc)
	cfg := exchange.Config{
		Transports: []transports.Transport{websocket.New(websocket.Config{}), rtc, tcp.New(tcp.Config{})},
		OnPeer:     func(p *exchange.Peer) { n.add(p) },
		OnError:    func(err error) { fmt.Fprintln(&log, "OnError:", err) },
		Logger:     slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if gen == v1 {
		cfg.Protocol = exchange.V1
	}
	for _, f := range change {
		f(&cfg)
	}
	ex, err := exchange.New(networkOf(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	n.ex = ex
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

func (n *goNode) isGo() bool { return true }

func (n *goNode) inNode() bool { return false }

// add gives a peer its id and talks to it. It is called by OnPeer and by
// whoever got the peer from a call, whichever comes first.
func (n *goNode) add(p *exchange.Peer) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id, ok := n.ids[p]; ok {
		return id
	}
	id := len(n.talks) + 1
	n.ids[p] = id
	k := &goTalk{peer: p, ended: make(chan struct{})}
	k.talk = newTalk(p, n.owner, func(name string) {
		n.update(id, func(p *peerInfo) { p.name = name })
	})
	n.talks = append(n.talks, k)
	outgoing := p.Outgoing()
	n.update(id, func(p *peerInfo) { p.connected, p.incoming = true, !outgoing })
	go func() {
		defer close(k.ended)
		k.serve()
		p.Close()
		n.update(id, func(p *peerInfo) { p.connected = false })
	}()
	return id
}

func (n *goNode) talkTo(id int) (*goTalk, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id < 1 || id > len(n.talks) {
		return nil, fmt.Errorf("%s has no peer %d", n.owner, id)
	}
	return n.talks[id-1], nil
}

// troubles is empty: what this module reports through OnError is in the log,
// and tests of its own look at it.
func (n *goNode) troubles() []string { return nil }

func (n *goNode) accept(ctx context.Context, transport string, secure bool) (endpoint, error) {
	to := endpoint{transport: transport, host: "127.0.0.1", secure: secure}
	var opts transports.Options
	if transport != transports.WebRTC {
		port, err := freePort()
		if err != nil {
			return endpoint{}, err
		}
		to.port = port
		opts = transports.Options{Host: to.host, Port: port, Secure: secure}
		if secure {
			opts.TLS = suite.pki.server
		}
	}
	return to, n.ex.Accept(ctx, transport, opts)
}

func (n *goNode) unaccept(_ context.Context, transport string) error {
	return n.ex.Unaccept(transport)
}

func (n *goNode) connect(ctx context.Context, to endpoint) (int, error) {
	opts := transports.Options{Port: to.port, Secure: to.secure, Token: to.token}
	if to.secure {
		opts.TLS = suite.pki.client
	}
	p, err := n.ex.Connect(ctx, to.transport, to.host, opts)
	if err != nil {
		return 0, fmt.Errorf("%s connect: %w", n.owner, err)
	}
	return n.add(p), nil
}

func (n *goNode) getNewPeer(ctx context.Context, via int) (int, error) {
	ask := n.ex.GetNewPeer
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

func (n *goNode) request(ctx context.Context, peer, bytes int) (string, error) {
	k, err := n.talkTo(peer)
	if err != nil {
		return "", err
	}
	from, err := k.talk.request(ctx, bytes, k.ended)
	if err != nil {
		return "", fmt.Errorf("%s request: %w (peer: %v)", n.owner, err, k.peer.Err())
	}
	return from, nil
}

func (n *goNode) disconnect(_ context.Context, peer int) error {
	k, err := n.talkTo(peer)
	if err != nil {
		return err
	}
	return k.peer.Close()
}
