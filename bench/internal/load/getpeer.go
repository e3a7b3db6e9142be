package load

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Introduction is how far getPeer goes.
type Introduction int

const (
	// Direct candidates accept websockets: the answer is all there is.
	Direct Introduction = iota
	// Relayed candidates accept webrtc: the seed tells them of the incoming peer.
	Relayed
	// Signaled is relayed, and the two sides exchange a recorded offer and answer, with two candidates each, over the
	// relay. Neither ends the relay afterwards: published clients do not.
	Signaled
)

// firstPort is where candidates claim to accept. Nobody connects there.
const firstPort = 40000

// GetPeer asks for peers. What it counts are answers, and if the introduction is signaled, those where the asker got the
// candidate's signals.
type GetPeer struct {
	Introduction
	Candidates int // connections that accept
	Askers     int // connections that ask
	InFlight   int // requests that an asker has under way

	counter
	incoming atomic.Int64
	clients  []pumped
}

// pumped is a client and what it does.
type pumped struct {
	*client
	handler
}

// Setup implements [Workload].
func (g *GetPeer) Setup(ctx context.Context, t Target) error {
	for i := range g.Candidates + g.Askers {
		accepts := "{}"
		if i < g.Candidates {
			accepts = acceptsWebRTC
			if g.Introduction == Direct {
				accepts = acceptsWebsocket(firstPort + i)
			}
		}
		c, err := connect(ctx, t, accepts)
		if err != nil {
			for _, p := range g.clients {
				p.conn.Close()
			}
			return fmt.Errorf("connect client %d: %w", i, err)
		}
		var h handler = &candidate{load: g}
		if i >= g.Candidates {
			h = newAsker(g, c)
		}
		g.clients = append(g.clients, pumped{c, h})
	}
	return nil
}

// Run implements [Workload].
func (g *GetPeer) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range g.clients {
		group.Go(func() error { return pump(ctx, p.client, p.handler) })
	}
	return group.Wait()
}

// Incoming counts what candidates were told of.
func (g *GetPeer) Incoming() int64 { return g.incoming.Load() }

// connect returns a client that the seed holds for ready too: it has answered a request that came after the helloack.
func connect(ctx context.Context, t Target, accepts string) (*client, error) {
	c, err := dial(ctx, t, bufferBytes)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	first := &firstAnswer{}
	if err = c.handshake(t, accepts); err == nil {
		err = first.wait(c)
	}
	if err == nil {
		err = c.conn.SetReadDeadline(time.Time{})
	}
	if err != nil {
		c.conn.Close()
		return nil, err
	}
	return c, nil
}

// pump runs a client until ctx is done, then closes it. A server that has nothing to say to it is not at fault: a candidate
// of direct introductions hears nothing at all, and an asker that is kept waiting shows in what was counted.
func pump(ctx context.Context, c *client, h handler) error {
	defer c.conn.Close()
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	for {
		if err := c.flush(); err != nil {
			return unlessDone(ctx, err)
		}
		if err := c.read(); err != nil {
			return unlessDone(ctx, err)
		}
		if err := c.parse(h); err != nil {
			return unlessDone(ctx, err)
		}
	}
}

// firstAnswer waits for one answer, whatever it says.
type firstAnswer struct{ came bool }

func (f *firstAnswer) wait(c *client) error {
	line := []byte(getPeerLine)
	c.send(string(line))
	for !f.came {
		if err := c.flush(); err != nil {
			return err
		}
		if err := c.step(f); err != nil {
			return err
		}
	}
	return nil
}

func (f *firstAnswer) line(_ *client, line []byte) error {
	f.came = f.came || isAnswer(line)
	return nil
}

func (f *firstAnswer) signal(*client, string, []byte) error { return nil }

// candidate is a peer that accepts.
type candidate struct {
	load     *GetPeer
	answered map[string]struct{} // relays
}

func (k *candidate) line(_ *client, line []byte) error {
	if bytes.HasPrefix(line, incomingPrefix) {
		k.load.incoming.Add(1)
	}
	return nil
}

// signal answers the offer, which is the first line of a relay.
func (k *candidate) signal(c *client, name string, p []byte) error {
	if _, ok := k.answered[name]; ok || bytes.IndexByte(p, '\n') < 0 {
		return nil
	}
	if k.answered == nil {
		k.answered = make(map[string]struct{})
	}
	k.answered[name] = struct{}{}
	c.signalAll(name, answer)
	return nil
}

// asker is a peer that asks.
type asker struct {
	load    *GetPeer
	request []byte
	id      [idBytes]byte
	wants   []byte         // what an answer must contain
	signals map[string]int // lines that came on each relay
}

func newAsker(g *GetPeer, c *client) *asker {
	a := &asker{
		load:    g,
		request: []byte(getPeerLine),
		wants:   []byte(`"transport":"webrtc"`),
		signals: make(map[string]int),
	}
	if g.Introduction == Direct {
		a.wants = []byte(`"transport":"websocket"`)
	}
	binary.BigEndian.PutUint64(a.id[:], rand.Uint64())
	for range g.InFlight {
		a.ask(c)
	}
	return a
}

// ask queues a request with an ID that was not used before.
func (a *asker) ask(c *client) {
	binary.BigEndian.PutUint64(a.id[8:], binary.BigEndian.Uint64(a.id[8:])+1)
	putID(a.request, a.id)
	c.out = appendFrame(c.out, c.key, 0, frameData, a.request)
}

func (a *asker) line(c *client, line []byte) error {
	if !isAnswer(line) {
		return nil
	}
	if !bytes.Contains(line, a.wants) {
		return fmt.Errorf("seed offered nobody that was to be offered: %s", line)
	}
	if a.load.Introduction != Signaled {
		a.load.Add(1)
		a.ask(c)
		return nil
	}
	id, err := nonce(line)
	if err != nil {
		return err
	}
	c.signalAll(relayPrefix+id, offer)
	return nil
}

func (a *asker) signal(c *client, name string, p []byte) error {
	n := a.signals[name] + bytes.Count(p, []byte{'\n'})
	a.signals[name] = n
	if n == len(answer) {
		delete(a.signals, name)
		a.load.Add(1)
		a.ask(c)
	}
	return nil
}
