//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// conversation is of two nodes that met: one says something, the other says it back, all
// of the time, over one connection. It fails when that ends or a byte is another.
type conversation struct {
	t      *testing.T
	peer   *exchange.Peer
	rounds atomic.Int64
	ended  chan struct{}
	err    error // once ended
}

// pair are two new nodes that talk with each other. One looks for the other, and the other
// waits, so that there is one connection and not for a moment two.
func (n *network) pair() (a, b *node, c *conversation) {
	n.t.Helper()
	b = n.newNode(2, -1)
	a = n.newNode(2, 1)
	return a, b, a.converse()
}

// converse has a node talk with the one that it finds.
func (e *node) converse() *conversation {
	t := e.t
	t.Helper()
	c := &conversation{t: t, ended: make(chan struct{})}
	eventually(t, "a node meets another", func() bool {
		for _, p := range e.others() {
			if p.Outgoing() {
				c.peer = p
			}
		}
		return c.peer != nil
	})
	stop := make(chan struct{})
	go c.run(stop)
	t.Cleanup(func() {
		close(stop)
		<-c.ended
		if c.err != nil {
			t.Errorf("a conversation ended after %d rounds: %v", c.rounds.Load(), c.err)
		}
	})
	return c
}

func (c *conversation) run(stop chan struct{}) {
	defer close(c.ended)
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	said, heard := make([]byte, 8<<10), make([]byte, 8<<10)
	words := rand.NewChaCha8([32]byte{})
	for {
		select {
		case <-stop:
			return
		case <-pace.C:
		}
		words.Read(said)
		c.peer.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := c.peer.Write(said); err != nil {
			c.err = fmt.Errorf("write: %w (%w)", err, c.peer.Err())
			return
		}
		if _, err := io.ReadFull(c.peer, heard); err != nil {
			c.err = fmt.Errorf("read: %w (%w)", err, c.peer.Err())
			return
		}
		if !bytes.Equal(said, heard) {
			c.err = fmt.Errorf("what came back is not what was said")
			return
		}
		c.rounds.Add(1)
	}
}

// goesOn waits for two more rounds: the second one was begun after now.
func (c *conversation) goesOn() {
	c.t.Helper()
	before := c.rounds.Load()
	eventually(c.t, "a conversation goes on", func() bool {
		select {
		case <-c.ended:
			c.t.Fatalf("a conversation ended after %d rounds: %v", c.rounds.Load(), c.err)
		default:
		}
		return c.rounds.Load() >= before+2
	})
}
