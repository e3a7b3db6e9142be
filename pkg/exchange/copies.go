package exchange

import (
	"errors"
	"net/netip"
	"time"
)

// maxCopies is how many peers without an identity a [Maintainer] gets from one
// place, over each generation of the protocol. They may be one npm node: it does not
// say who it is, every neighbour offers it, and a small network has nobody else.
// They may as well be several nodes behind one address, so that one is not enough.
const maxCopies = 2

// copyGrace is how long one too many stays: npm applications greet a peer, and fail
// loudly if it is gone by then.
const copyGrace = 2 * time.Second

var errCopy = errors.New("peer may well be one that is connected already")

// isCopy tells whether a new peer is more than there should be of its place.
func (ex *Exchange) isCopy(p *Peer) bool {
	if p.Instance() != "" {
		return false
	}
	same := 0
	for _, other := range ex.Peers() {
		if other != p && other.Instance() == "" && other.protocol == p.protocol && other.place() == p.place() {
			same++
		}
	}
	return same >= maxCopies
}

// place is where the other node is: an address, which is the same one for all that
// this machine has.
func (p *Peer) place() netip.Addr {
	if p.addr.IsLoopback() || p.addr == hostOf(p.conn.LocalAddr()) {
		return netip.IPv6Loopback()
	}
	return p.addr
}
