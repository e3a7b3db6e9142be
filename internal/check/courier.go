package check

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net"
	"sync"
	"sync/atomic"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
)

// courier is WebRTC under a name that nobody else knows: a seed introduces nodes
// by the transports that both name, and passes on the signals of those it does
// not know. What the name stands for is changed between two introductions.
type courier struct {
	// Static after construction.
	name string

	began atomic.Bool // the seed introduced the node to the other
	heard atomic.Bool // a signal of the other node came through the seed

	mu sync.Mutex
	// Guarded by mu.
	way *webrtc.Transport
}

// newCourierName draws a name.
func newCourierName() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return "seed-check-" + hex.EncodeToString(b[:])
}

// Name implements transports.Transport.
func (c *courier) Name() string { return c.name }

// use sets what the next negotiations are made with.
func (c *courier) use(way *webrtc.Transport) {
	c.began.Store(false)
	c.heard.Store(false)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.way = way
}

// Negotiate implements transports.Negotiator.
func (c *courier) Negotiate(ctx context.Context, role transports.Role, signals transports.Signaling) (net.Conn, error) {
	c.mu.Lock()
	way := c.way
	c.mu.Unlock()
	if way == nil {
		return nil, net.ErrClosed
	}
	c.began.Store(true)
	return way.Negotiate(ctx, role, listening{signals, &c.heard})
}

// listening notes that a signal came.
type listening struct {
	transports.Signaling
	heard *atomic.Bool
}

// Receive implements transports.Signaling.
func (l listening) Receive(ctx context.Context) (json.RawMessage, error) {
	signal, err := l.Signaling.Receive(ctx)
	if err == nil {
		l.heard.Store(true)
	}
	return signal, err
}
