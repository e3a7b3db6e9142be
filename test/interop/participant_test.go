//go:build interop

package interop

import (
	"context"
	"fmt"
	"sync"
)

// participant is a node of one test.
type participant interface {
	// accept starts accepting. For websocket and tcp the endpoint says where.
	accept(ctx context.Context, transport string, secure bool) (endpoint, error)
	// unaccept stops accepting.
	unaccept(ctx context.Context, transport string) error
	// connect returns the id of the new peer.
	connect(ctx context.Context, to endpoint) (int, error)
	// getNewPeer asks the peer via, or one of the node's choice when via is 0, and
	// returns the id of the new peer.
	getNewPeer(ctx context.Context, via int) (int, error)
	// request sends bytes to a peer and returns its name once all came back unchanged.
	request(ctx context.Context, peer, bytes int) (string, error)
	// disconnect ends the connection to a peer.
	disconnect(ctx context.Context, peer int) error
	// peers returns the connections that the node has and had.
	peers() []peerInfo
	// await waits until the node's peers are as cond wants them.
	await(ctx context.Context, what string, cond func(peers []peerInfo) bool) error
	// troubles are the errors of connections that a npm client told its
	// application of, besides those that calls returned.
	troubles() []string
	// isGo tells whether this module is under test here.
	isGo() bool
	// inNode tells whether the WebRTC of @roamhq/wrtc is at work here.
	inNode() bool
}

// endpoint is where a participant accepts.
type endpoint struct {
	transport string
	host      string
	port      int
	secure    bool
	token     string // to present there
}

// peerInfo is what a participant has seen of one connection.
type peerInfo struct {
	id        int
	incoming  bool
	connected bool
	name      string // empty until the other node told it
}

// book keeps a participant's connections and lets tests wait for them.
type book struct {
	owner string

	mu sync.Mutex
	// Guarded by mu.
	entries []peerInfo
	changed chan struct{} // closed at the next change
}

func newBook(owner string) *book {
	return &book{owner: owner, changed: make(chan struct{})}
}

// update changes the entry of a peer, and adds it if it is new.
func (b *book) update(id int, change func(p *peerInfo)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := -1
	for i := range b.entries {
		if b.entries[i].id == id {
			at = i
		}
	}
	if at < 0 {
		b.entries = append(b.entries, peerInfo{id: id})
		at = len(b.entries) - 1
	}
	change(&b.entries[at])
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *book) peers() []peerInfo {
	peers, _ := b.snapshot()
	return peers
}

func (b *book) snapshot() ([]peerInfo, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]peerInfo(nil), b.entries...), b.changed
}

func (b *book) await(ctx context.Context, what string, cond func(peers []peerInfo) bool) error {
	for {
		peers, changed := b.snapshot()
		if cond(peers) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s waits for %s: %w (its peers: %+v)", b.owner, what, ctx.Err(), peers)
		}
	}
}

func countConnected(peers []peerInfo) int {
	n := 0
	for _, p := range peers {
		if p.connected {
			n++
		}
	}
	return n
}
