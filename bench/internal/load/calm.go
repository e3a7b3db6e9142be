package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Calm has peers that ask for others at a steady rate, whatever the answer is. It takes
// the time of every answer.
type Calm struct {
	Peers int
	Every time.Duration // between two requests of a peer
	// Relayed peers accept webrtc: whoever is led to one is so through a relay. Others
	// accept websockets.
	Relayed bool

	counter
	clients []*client

	mu sync.Mutex
	// Guarded by mu.
	times []time.Duration
}

// Setup implements [Workload].
func (l *Calm) Setup(ctx context.Context, t Target) error {
	for i := range l.Peers {
		accepts := acceptsWebsocket(firstPort + i)
		if l.Relayed {
			accepts = acceptsWebRTC
		}
		c, err := connect(ctx, t, accepts)
		if err != nil {
			for _, c := range l.clients {
				c.conn.Close()
			}
			return fmt.Errorf("connect peer %d: %w", i, err)
		}
		l.clients = append(l.clients, c)
	}
	return nil
}

// Run implements [Workload].
func (l *Calm) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range l.clients {
		group.Go(func() error {
			defer c.conn.Close()
			stop := context.AfterFunc(ctx, func() { c.conn.Close() })
			defer stop()
			return unlessDone(ctx, l.ask(c))
		})
	}
	return group.Wait()
}

// Times returns how long each answer took since the last call.
func (l *Calm) Times() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := l.times
	l.times = nil
	return times
}

// ask asks until something is wrong.
func (l *Calm) ask(c *client) error {
	request := []byte(getPeerLine)
	var id [idBytes]byte
	binary.BigEndian.PutUint64(id[:], rand.Uint64())
	next := time.Now().Add(rand.N(l.Every)) // not all at once
	for number := uint64(1); ; number++ {
		if err := c.await(next); err != nil {
			return err
		}
		next = next.Add(l.Every)
		binary.BigEndian.PutUint64(id[8:], number)
		putID(request, id)
		answer := &firstAnswer{}
		began := time.Now()
		c.send(string(request))
		for !answer.came {
			if err := c.flush(); err != nil {
				return err
			}
			if err := c.step(answer); err != nil {
				return err
			}
		}
		took := time.Since(began)
		l.Add(1)
		l.mu.Lock()
		l.times = append(l.times, took)
		l.mu.Unlock()
	}
}

// await takes what comes until a moment.
func (c *client) await(until time.Time) error {
	for time.Now().Before(until) {
		if err := c.conn.SetReadDeadline(until); err != nil {
			return err
		}
		err := c.read()
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if err := c.parse(&firstAnswer{}); err != nil {
			return err
		}
		if err := c.flush(); err != nil {
			return err
		}
	}
	return nil
}
