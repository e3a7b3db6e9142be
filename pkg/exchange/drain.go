package exchange

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Times of a drain.
const (
	// drainTime is how long one takes at most if its context has no deadline.
	drainTime = 30 * time.Second
	// noticesPerSecond bounds how many peers at a time are sent elsewhere, so that
	// they do not all arrive there at once.
	noticesPerSecond = 500
	// reprieve is how often it is looked whether an introduction is over that
	// holds up the end of a connection.
	reprieve = 100 * time.Millisecond
	// handshakeGrace is how long after the begin of a drain a handshake that is in
	// progress may take: the other node may be done with its half already.
	handshakeGrace = time.Second
)

// Drain takes the node out of the network and closes it, without losing anyone.
// It leaves the mesh, stops accepting, and introduces peers no more; introductions
// in progress go on. Peers that know how are told to go away, and where to: elsewhere are
// addresses of other nodes, as ConnectURL takes them, of which each peer is told
// 8 in an order of its own. Those who know nothing of that are disconnected one
// after the other, spread over the time that is left until ctx's deadline, or 30
// seconds if it has none, and so, in the second half of it, is whoever was told
// and has stayed. A peer whose introduction is in progress stays until it is
// over.
//
// It returns once every peer is gone, which may be long before the deadline, and
// at once if there are none, nor any in their handshake. When ctx ends first it closes the node at once and
// returns the context's error. Shutdown is for a node that others do not depend on.
func (ex *Exchange) Drain(ctx context.Context, elsewhere ...string) error {
	err := ex.stopAccepting()
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(drainTime)
	}
	if drained := ex.sendAway(ctx, end, elsewhere); drained != nil {
		err = errors.Join(err, fmt.Errorf("wait for peers to go: %w", drained))
	}
	ex.Close()
	return err
}

// stopAccepting makes the node one that only ends: it takes no more connections
// and makes none, and introduces nobody any more.
func (ex *Exchange) stopAccepting() error {
	ex.mu.Lock()
	ex.draining = true
	ex.candidates.closed = true
	accepting := slices.Collect(maps.Keys(ex.listeners))
	serving := slices.Collect(maps.Keys(ex.serving))
	ex.mu.Unlock()
	ex.LeaveMesh()
	for _, l := range serving {
		l.Close()
	}
	var errs []error
	for _, name := range accepting {
		if err := ex.Unaccept(name); err != nil && !errors.Is(err, ErrNotAccepting) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// endsLocked tells whether the node is closed, or about to be.
func (ex *Exchange) endsLocked() bool { return ex.closed || ex.draining }

// introduces tells whether two peers may be introduced still.
func (ex *Exchange) introduces() bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return !ex.endsLocked()
}

// sendAway has every peer leave. It returns nil when they have.
func (ex *Exchange) sendAway(ctx context.Context, end time.Time, elsewhere []string) error {
	changed, unsubscribe := ex.subscribe()
	defer unsubscribe()
	began := time.Now()
	d := newDepartures(end, elsewhere)
	d.plan(began, ex.randomPeers())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		d.plan(time.Now(), ex.takeLate())
		next := d.proceed(time.Now())
		deserted, handshakes := ex.isDeserted()
		if deserted && (!handshakes || time.Since(began) >= handshakeGrace) {
			return nil
		}
		if deserted {
			next = min(next, reprieve)
		}
		timer.Reset(next)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-ex.lifetime.Done():
			return nil
		}
	}
}

// takeLate returns who became ready after the drain began.
func (ex *Exchange) takeLate() []*Peer {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	late := ex.late
	ex.late = nil
	return late
}

// isDeserted tells whether no peer is left, but for siblings, who stay to the last,
// and whether there are connections that may still become peers.
func (ex *Exchange) isDeserted() (deserted, handshakes bool) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	siblings := 0
	if ex.mesh != nil {
		for l := range ex.mesh.links {
			if _, ready := ex.peers[l.p]; ready {
				siblings++
			}
		}
	}
	if len(ex.peers) > siblings {
		return false, false
	}
	for p := range ex.connections {
		if _, ready := ex.peers[p]; !ready && !p.isClosed() {
			return true, true
		}
	}
	return true, false
}

// departures is the schedule of a drain. One goroutine carries it out.
type departures struct {
	end       time.Time
	elsewhere []string
	steps     []departure // by time
	held      []*Peer     // who is to be disconnected, and is being introduced
}

// departure is one step: a peer is told when it will be disconnected, or it is.
type departure struct {
	at    time.Time
	peer  *Peer
	until time.Time // zero to disconnect
}

func newDepartures(end time.Time, elsewhere []string) *departures {
	elsewhere = slices.DeleteFunc(slices.Clone(elsewhere), func(address string) bool {
		_, err := parseURL(address)
		return err != nil
	})
	slices.Sort(elsewhere)
	return &departures{end: end, elsewhere: slices.Compact(elsewhere)}
}

// plan adds peers to the schedule, in their order.
func (d *departures) plan(now time.Time, peers []*Peer) {
	peers = slices.DeleteFunc(peers, (*Peer).Sibling)
	if len(peers) == 0 {
		return
	}
	left := max(d.end.Sub(now), 0)
	left -= min(closeLinger, left/5) // what was written to the last one is to arrive

	var informed, others []*Peer
	for _, p := range peers {
		if _, ok := p.dialect.(*v0); ok && p.knows(featureGoAway) {
			informed = append(informed, p)
		} else {
			others = append(others, p)
		}
	}
	for i, p := range others {
		d.steps = append(d.steps, departure{at: now.Add(slot(i, len(others), left)), peer: p})
	}
	notices := min(time.Duration(len(informed)-1)*time.Second/noticesPerSecond, left/4)
	for i, p := range informed {
		until := now.Add(left/2 + slot(i, len(informed), left-left/2))
		d.steps = append(d.steps,
			departure{at: now.Add(slot(i, len(informed), notices)), peer: p, until: until},
			departure{at: until, peer: p})
	}
	slices.SortFunc(d.steps, func(a, b departure) int { return a.at.Compare(b.at) })
}

// slot is a moment within the i-th of n equal parts of a time.
func slot(i, n int, whole time.Duration) time.Duration {
	return time.Duration((float64(i) + rand.Float64()) / float64(n) * float64(max(whole, 0)))
}

// proceed takes the steps whose time has come, and tells how long it is to the
// next one.
func (d *departures) proceed(now time.Time) time.Duration {
	d.held = slices.DeleteFunc(d.held, func(p *Peer) bool { return p.depart(now) })
	for len(d.steps) > 0 && !d.steps[0].at.After(now) {
		step := d.steps[0]
		d.steps = d.steps[1:]
		switch {
		case !step.until.IsZero():
			step.peer.goAway(d.shuffled(), step.until.Sub(now))
		case !step.peer.depart(now):
			d.held = append(d.held, step.peer)
		}
	}
	next := drainTime // to wait for the last ones, or for the end
	if len(d.steps) > 0 {
		next = d.steps[0].at.Sub(now)
	}
	if len(d.held) > 0 {
		next = min(next, reprieve)
	}
	return next
}

// shuffled is where one peer is to go: each tries another address first.
func (d *departures) shuffled() []string {
	addresses := slices.Clone(d.elsewhere)
	rand.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	return addresses
}

// depart disconnects a peer, unless an introduction is in progress. It tells
// whether the peer is gone.
func (p *Peer) depart(now time.Time) bool {
	if !p.isClosed() && p.introducing(now) {
		return false
	}
	p.Close()
	return true
}

// introducing tells whether the connection is needed for an introduction: one
// that passes through this node, or one of this node's own.
func (p *Peer) introducing(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.attached {
		r, passing := c.(*relay)
		if !passing || r.heard.Load() > now.Add(-signalingQuiet).UnixNano() {
			return true
		}
	}
	return false
}
