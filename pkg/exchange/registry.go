package exchange

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// The exchange's book of its peers: who is connected, under which instance, and
// what of them others may be offered. A peer is entered in three steps, as the
// handshake goes on: connection, identity, ready peer.

// probeTime is how long a peer may take to show that it is alive when the same
// instance connects again.
const probeTime = 5 * time.Second

// addConnection enters a connection that is about to run.
func (ex *Exchange) addConnection(p *Peer) error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.endsLocked() {
		return ErrClosed
	}
	ex.connections[p] = struct{}{}
	ex.counters.connections.Add(1)
	return nil
}

func (ex *Exchange) removeConnection(p *Peer) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	delete(ex.connections, p)
}

// identify enters what a peer said of itself, and settles which connection stays
// when there is one to the same instance already. One that is ready stays until the
// new one is.
func (ex *Exchange) identify(p *Peer, h hello) error {
	if h.instance == ex.instance {
		return ErrSelf
	}
	ex.mu.Lock()
	p.hello = h
	if p.links {
		ex.mu.Unlock()
		return nil // who it is counts once it has proved it, see identifySibling
	}
	var losers []*Peer
	var older *Peer
	if h.instance != "" {
		for _, old := range ex.instances[h.instance] {
			if old.isClosed() {
				continue
			}
			switch ex.loser(old, p) {
			case p:
				ex.mu.Unlock()
				old.probe()
				return ErrDuplicate
			case old:
				if old.readyAt.IsZero() {
					losers = append(losers, old)
				} else {
					p.replaces = append(p.replaces, old)
				}
			default:
				if seenTogether(old, p) {
					older = old
				}
			}
		}
		p.rival = older
		ex.instances[h.instance] = append(ex.instances[h.instance], p)
	} else if p.introduced != "" {
		ex.call(p, p.introduced)
	}
	ex.mu.Unlock()
	for _, old := range losers {
		old.retire()
	}
	return nil
}

// loser says which of two connections to one instance has to go. Both nodes
// must come to the same answer without asking each other. Where each dialed the
// other at about the same time, the connection that the smaller instance dialed
// stays. Where the same node dialed twice, it ends one of them itself; the other
// node waits for that (nil), for as long as rivalryTime. It ends the second, unless
// another node has led it to the first, at another address than the one that its
// application has named now: that may be an impostor.
//
// Instances are no secret, so an incoming connection may be that of an impostor. If
// the two are seen at different addresses it does not cost the other one its
// connection: both stand until a node ends one that it dialed itself, or an incoming
// one for one that it has just dialed. Nodes that did dial each other come to one
// connection that way too, since one of them has the smaller instance. Siblings have
// proved who they are before they get here.
func (ex *Exchange) loser(old, p *Peer) *Peer {
	if old.Sibling() && !p.Sibling() && !p.links {
		return p // it only says so
	}
	switch {
	case old.outgoing != p.outgoing:
	case !p.outgoing:
		return nil
	case p.chosen && !old.chosen && !seenTogether(old, p):
		return old
	default:
		return p
	}
	settled := !old.readyAt.IsZero() && time.Since(old.readyAt) > ex.rivalryTime()
	loser := old
	if old.outgoing == (ex.instance < p.hello.instance) {
		loser = p
	}
	switch {
	case p.links || seenTogether(old, p):
		if settled {
			return p
		}
		return loser
	case settled || loser.outgoing:
		return nil
	default:
		return loser
	}
}

// seenTogether tells whether two connections come from one address, as those of one
// node do for the most part. That of a relay is anybody's.
func seenTogether(a, b *Peer) bool {
	return a.addr.IsValid() && !a.relayed && !b.relayed && ownedBy(a.addr) == ownedBy(b.addr)
}

// isDuplicate tells whether there is another connection to the instance that a peer
// said that it is.
func (ex *Exchange) isDuplicate(p *Peer) bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return slices.ContainsFunc(ex.instances[p.hello.instance], func(other *Peer) bool {
		return other != p && !other.isClosed()
	})
}

// rivalryTime is how long two connections to one instance may both stand.
func (ex *Exchange) rivalryTime() time.Duration {
	if ex.limits.HandshakeTime > 0 {
		return ex.limits.HandshakeTime
	}
	return 10 * time.Second
}

// addPeer enters a peer whose handshake is complete, with what it accepts, in place of
// those that it replaces.
func (ex *Exchange) addPeer(p *Peer) error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.closed || ex.draining && p.outgoing {
		return ErrClosed
	}
	if p.isClosed() {
		return p.Err()
	}
	if ex.draining {
		// The other node may have taken the connection for ready before.
		ex.late = append(ex.late, p)
	}
	for _, old := range p.replaces {
		ex.removePeerLocked(old)
	}
	p.readyAt = time.Now()
	ex.peers[p] = struct{}{}
	ex.notify()
	if l := p.sibling.Load(); l != nil {
		l.offer()
		return nil
	}
	ex.kinds[p.kind()]++
	for _, l := range p.listings {
		ex.present(l)
	}
	return nil
}

// removePeer takes a peer out of the book. It may be called again.
func (ex *Exchange) removePeer(p *Peer) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	ex.removePeerLocked(p)
}

func (ex *Exchange) removePeerLocked(p *Peer) {
	if _, ready := ex.peers[p]; ready {
		delete(ex.peers, p)
		if !p.Sibling() {
			if ex.kinds[p.kind()]--; ex.kinds[p.kind()] == 0 {
				delete(ex.kinds, p.kind())
			}
		}
		ex.notify()
	}
	for _, l := range p.listings {
		if !p.Sibling() {
			ex.verifier.remember(l)
		}
		ex.withdraw(l)
	}
	if l := p.sibling.Load(); l != nil {
		ex.unlink(l)
	}
	p.listings = nil
	ex.uncall(p)
	if name := p.hello.instance; name != "" {
		same := slices.DeleteFunc(ex.instances[name], func(other *Peer) bool { return other == p })
		for _, other := range same {
			if other.rival == p {
				other.rival = p.rival
			}
		}
		p.rival = nil
		if len(same) == 0 {
			delete(ex.instances, name)
		} else {
			ex.instances[name] = same
		}
	}
}

// connectionEnded closes the account of a connection.
func (ex *Exchange) connectionEnded(p *Peer, err error) {
	ex.removeConnection(p)
	wasReady := isClosed(p.ready)
	ex.countEnd(p, err, wasReady)
	ex.logger.Debug("peer disconnected", append(p.logFields(), "ready", wasReady, "reason", err)...)
	// Whoever dialed is told by Connect; a port scan is nobody's error.
	if !wasReady && !p.outgoing && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		ex.report(fmt.Errorf("handshake with %s over %s: %w", p.conn.RemoteAddr(), p.transport, err))
	}
}

// connectedNames lists the instances and the aliases of those that are connected, at
// most n of them.
func (ex *Exchange) connectedNames(n int) []string {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	var names []string
	for name := range ex.instances {
		if len(names) == n {
			break
		}
		names = append(names, name)
	}
	for name := range ex.aliases {
		if len(names) == n {
			break
		}
		names = append(names, name)
	}
	return names
}

// isDialed tells whether a connection that was dialed to an address stands.
func (ex *Exchange) isDialed(address string) bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	for p := range ex.connections {
		if p.dialed == address && !p.isClosed() {
			return true
		}
	}
	return false
}

// subscribe returns a channel that gets a value after peers came or went.
func (ex *Exchange) subscribe() (changed <-chan struct{}, unsubscribe func()) {
	c := make(chan struct{}, 1)
	ex.mu.Lock()
	defer ex.mu.Unlock()
	ex.subscribers[c] = struct{}{}
	return c, func() {
		ex.mu.Lock()
		defer ex.mu.Unlock()
		delete(ex.subscribers, c)
	}
}

// wake tells the subscribers to look again.
func (ex *Exchange) wake() {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	ex.notify()
}

// notify tells the subscribers. The caller holds mu.
func (ex *Exchange) notify() {
	for c := range ex.subscribers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
