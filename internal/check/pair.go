package check

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
)

// pair are two nodes that are connected to the seed and know nobody else: one that
// may be led to, and one that asks.
type pair struct {
	// Static after construction.
	candidate, asker *exchange.Exchange
	couriers         [2]*courier // of candidate and asker
	seed             *exchange.Peer
	echoing          sync.WaitGroup
}

// toSeed is the name under which the two dial the seed.
const toSeed = "seed-check-dial"

// Between two requests is a pause while the seed does not know of the candidate
// yet. It grows, for a seed counts them.
const (
	minAskPause = 50 * time.Millisecond
	maxAskPause = time.Second
)

// connectPair connects the two to the seed.
func (c *Check) connectPair(ctx context.Context) (_ *pair, err error) {
	p := new(pair)
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	name := newCourierName()
	for i := range p.couriers {
		p.couriers[i] = &courier{name: name}
	}
	dial := path{toSeed, c.dialer().Dial}
	if p.candidate, err = c.newNode(p.echo, dial, p.couriers[0]); err != nil {
		return nil, err
	}
	if p.asker, err = c.newNode(nil, dial, p.couriers[1]); err != nil {
		return nil, err
	}
	if err = p.candidate.Accept(ctx, name, transports.Options{}); err != nil {
		return nil, err
	}
	if _, err = p.candidate.Connect(ctx, toSeed, c.target.host, c.options()); err != nil {
		return nil, err
	}
	p.seed, err = p.asker.Connect(ctx, toSeed, c.target.host, c.options())
	return p, err
}

// echo sends back to the asker what it says.
func (p *pair) echo(peer *exchange.Peer) {
	if !peer.Outgoing() {
		p.echoing.Go(func() {
			_, _ = io.Copy(peer, peer)
			peer.Close()
		})
	}
}

func (p *pair) close() {
	var closing sync.WaitGroup
	for _, node := range []*exchange.Exchange{p.candidate, p.asker} {
		if node != nil {
			closing.Go(func() { node.Close() })
		}
	}
	closing.Wait()
	p.echoing.Wait()
}

// errNotIntroduced says that the seed offered nobody.
var errNotIntroduced = errors.New("the seed does not offer one of two nodes to the other")

// meet has the asker ask until it is introduced to the candidate, and tries the
// connection. It tells how the connection is made.
func (p *pair) meet(ctx context.Context, ways [2]*webrtc.Transport) (*webrtc.Conn, error) {
	for i, courier := range p.couriers {
		courier.use(ways[i])
	}
	for wait := minAskPause; ; wait = min(2*wait, maxAskPause) {
		peer, err := p.seed.GetNewPeer(ctx)
		switch {
		case err == nil:
			defer peer.Close()
			conn, _ := peer.Socket().(*webrtc.Conn)
			return conn, bounce(ctx, peer)
		case ctx.Err() != nil && !p.couriers[1].began.Load():
			return nil, errNotIntroduced
		case !errors.Is(err, exchange.ErrNoCandidates):
			return nil, err
		}
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, errNotIntroduced
		}
	}
}

// heard tells whether signals came through the seed.
func (p *pair) heard() bool {
	return p.couriers[0].heard.Load() || p.couriers[1].heard.Load()
}

// bounce sends something to a node that echoes, and waits for it.
func bounce(ctx context.Context, conn net.Conn) error {
	if end, bounded := ctx.Deadline(); bounded {
		conn.SetDeadline(end)
	}
	sent := make([]byte, 64)
	rand.Read(sent) // never fails
	if _, err := conn.Write(sent); err != nil {
		return fmt.Errorf("send over the new connection: %w", err)
	}
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil {
		return fmt.Errorf("receive over the new connection: %w", err)
	}
	if !bytes.Equal(got, sent) {
		return errors.New("what comes back over the new connection is not what was sent")
	}
	return nil
}
