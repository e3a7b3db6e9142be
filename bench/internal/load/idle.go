package load

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Idle holds peers that are ready and say nothing more. They answer websocket pings.
type Idle struct {
	Target Target
	// Echo makes the clients of a server that speaks no exchange protocol but returns every message: they have one
	// returned instead of the handshake.
	Echo bool

	group sync.WaitGroup

	// Guarded by mu.
	mu      sync.Mutex
	clients []*client
	lost    error
}

// Grow connects clients until there are n of them.
func (i *Idle) Grow(ctx context.Context, n int) error {
	i.mu.Lock()
	missing := n - len(i.clients)
	i.mu.Unlock()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for range missing {
		group.Go(func() error { return i.add(ctx) })
	}
	return group.Wait()
}

func (i *Idle) add(ctx context.Context) error {
	c, err := dial(ctx, i.Target, 2<<10)
	if err != nil {
		return err
	}
	if i.Echo {
		err = c.echo()
	} else {
		err = c.handshake(i.Target, "{}")
	}
	if err != nil {
		c.conn.Close()
		return fmt.Errorf("handshake: %w", err)
	}
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		c.conn.Close()
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.clients = append(i.clients, c)
	i.group.Go(func() { i.hold(c) })
	return nil
}

// hold reads until the connection ends. There is no deadline: an idle peer hears nothing for as long as the seed likes.
func (i *Idle) hold(c *client) {
	for {
		err := c.idle()
		if err == nil {
			continue
		}
		i.mu.Lock()
		if i.lost == nil {
			i.lost = fmt.Errorf("idle peer lost: %w", err)
		}
		i.mu.Unlock()
		return
	}
}

// Err returns the loss of a peer, if there was one.
func (i *Idle) Err() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.lost
}

// Close ends all connections and waits for what reads them.
func (i *Idle) Close() {
	i.mu.Lock()
	for _, c := range i.clients {
		c.conn.Close()
	}
	i.mu.Unlock()
	i.group.Wait()
}

// idle handles one read of a client that expects nothing.
func (c *client) idle() error {
	if err := c.read(); err != nil {
		return err
	}
	if err := c.parse(nil); err != nil {
		return err
	}
	if c.closed {
		return io.EOF
	}
	return c.flush()
}

// echo sends a message of a hello's size and waits for it to come back.
func (c *client) echo() error {
	line := helloLine("bench", "{}")
	c.out = appendMessage(c.out, opBinary, c.key, []byte(line)...)
	if err := c.flush(); err != nil {
		return err
	}
	for {
		m, size, err := nextMessage(c.buf)
		if err != nil {
			return err
		}
		if size > 0 {
			c.buf = c.buf[:0]
			if string(m.payload) != line {
				return fmt.Errorf("echo returned %q", m.payload)
			}
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
}
