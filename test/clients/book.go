package clients

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// PeerInfo is what a node has seen of one connection.
type PeerInfo struct {
	ID        int
	Incoming  bool
	Connected bool
	Name      string // empty until the other node told it
}

// CountConnected tells how many connections stand.
func CountConnected(peers []PeerInfo) int {
	n := 0
	for _, p := range peers {
		if p.Connected {
			n++
		}
	}
	return n
}

// book keeps a node's connections and lets tests wait for them.
type book struct {
	owner string

	mu sync.Mutex
	// Guarded by mu.
	entries []PeerInfo
	changed chan struct{} // closed at the next change
}

func newBook(owner string) *book {
	return &book{owner: owner, changed: make(chan struct{})}
}

// update changes the entry of a peer, and adds it if it is new.
func (b *book) update(id int, change func(p *PeerInfo)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := slices.IndexFunc(b.entries, func(p PeerInfo) bool { return p.ID == id })
	if at < 0 {
		at = len(b.entries)
		b.entries = append(b.entries, PeerInfo{ID: id})
	}
	change(&b.entries[at])
	close(b.changed)
	b.changed = make(chan struct{})
}

// Peers implements [Node].
func (b *book) Peers() []PeerInfo {
	peers, _ := b.snapshot()
	return peers
}

func (b *book) snapshot() ([]PeerInfo, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.entries), b.changed
}

// Await implements [Node].
func (b *book) Await(ctx context.Context, what string, cond func(peers []PeerInfo) bool) error {
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
