package exchange

import (
	"errors"
	"net/netip"
	"time"
)

// maxCopies is how many peers a [Maintainer] gets from one place that have neither
// instance nor alias, over each generation of the protocol. They may be one npm node:
// other npm nodes offer it without a name, and in generation 1 nobody has one. They may
// as well be several nodes behind one address, so that one is not enough.
const maxCopies = 2

// copyGrace is how long one too many stays: npm applications greet a peer, and fail
// loudly if it is gone by then.
const copyGrace = 2 * time.Second

var errCopy = errors.New("peer may well be one that is connected already")

// isCopy tells whether a new peer is called like one that is connected, or is more
// than there should be of its place.
func (ex *Exchange) isCopy(p *Peer) bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if p.hello.instance != "" {
		return false
	}
	ofPlace := 0
	for other := range ex.peers {
		switch {
		case other == p || other.hello.instance != "" || other.protocol != p.protocol:
		case p.alias != "":
			if other.alias == p.alias {
				return true
			}
		case other.place() == p.place():
			ofPlace++
		}
	}
	return ofPlace >= maxCopies
}

// place is where the other node is: an address, which is the same one for all that
// this machine has.
func (p *Peer) place() netip.Addr {
	if p.addr.IsLoopback() || p.addr == hostOf(p.conn.LocalAddr()) {
		return netip.IPv6Loopback()
	}
	return p.addr
}
