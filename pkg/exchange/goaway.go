package exchange

import (
	"net/netip"
	"strings"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// farewell is what another node said of its going away.
type farewell struct {
	told      chan struct{} // closed once it was said
	said      bool
	elsewhere []string
	until     time.Time
}

// GoingAway is closed when the other node has said that it is about to
// disconnect, as a seed does that drains. The connection still works then, which
// is the time to make another one; see Elsewhere. Npm nodes do not say so.
func (p *Peer) GoingAway() <-chan struct{} {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	return p.farewellLocked().told
}

// Elsewhere returns what a node that goes away said: the addresses of other nodes
// to connect to instead, 8 at most, in the order to try them and as ConnectURL
// takes them, and when it disconnects. Both are zero before it has said so. Of
// what it named those are left out that it cannot know from its place, such as a
// private address named from the Internet, and those without TLS where this node
// has dialed it with TLS.
func (p *Peer) Elsewhere() (addresses []string, until time.Time) {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	f := p.farewellLocked()
	return append([]string(nil), f.elsewhere...), f.until
}

func (p *Peer) farewellLocked() *farewell {
	if p.farewell == nil {
		p.farewell = &farewell{told: make(chan struct{})}
	}
	return p.farewell
}

func (p *Peer) isGoingAway() bool {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	return p.isGoingAwayLocked()
}

// isGoingAwayLocked tells whether the other node has said so.
func (p *Peer) isGoingAwayLocked() bool { return p.farewell != nil && p.farewell.said }

// onGoAway takes a goaway. A second one changes nothing. Nobody is led to a node
// that goes away any more. Siblings have their own way to say it.
func (p *Peer) onGoAway(addresses []string, within time.Duration) {
	if p.Sibling() {
		return
	}
	var elsewhere []string
	for _, address := range addresses {
		if p.mayLeadTo(address) {
			elsewhere = append(elsewhere, address)
		}
	}
	p.ex.logger.Debug("peer goes away", append(p.logFields(), "within", within, "elsewhere", len(elsewhere))...)

	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	f := p.farewellLocked()
	if f.said {
		return
	}
	f.said, f.elsewhere, f.until = true, elsewhere, time.Now().Add(within)
	close(f.told)
	for _, l := range p.listings {
		p.ex.withdraw(l)
	}
	p.listings = nil
	p.ex.notify()
}

// mayLeadTo tells whether this node may go where a peer sends it.
func (p *Peer) mayLeadTo(address string) bool {
	a, err := parseURL(address)
	if err != nil || a.token != "" {
		return false
	}
	if from, err := parseURL(p.dialed); err == nil && from.secure && !a.secure {
		return false
	}
	if host := strings.ToLower(strings.TrimSuffix(a.host, ".")); host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return p.addr.IsLoopback()
	}
	addr, err := netip.ParseAddr(a.host)
	return err != nil || addr.Zone() == "" && reaches(p.addr, addr.Unmap())
}

// goAway tells a peer that this node will disconnect. It is false for a peer that
// would not understand.
func (p *Peer) goAway(elsewhere []string, within time.Duration) bool {
	v, ok := p.dialect.(*v0)
	return ok && p.knows(featureGoAway) && v.send(wire.AppendGoAway(nil, elsewhere, within)) == nil
}
