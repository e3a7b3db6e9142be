package exchange

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// What may be offered to whom. An offer that a npm node cannot use crashes it or
// leaves its application waiting for ever (WIRE.md §3.3), so what is not sure to
// be usable is not offered.

// pick draws a candidate for an asker of generation 0, and notes that it was
// offered. exclude names instances that the asker has already.
func (ex *Exchange) pick(asker *Peer, exclude []string) *listing {
	excludes := asker.knows(featureExclude)
	if asker.offered == nil {
		asker.offered = newOffers(excludes)
	}
	suits := func(l *listing) bool {
		switch {
		case l.peer == asker:
			return false
		case l.instance == "":
			return l.usableBy(asker) && !(excludes && asker.offered.tooSoon(l))
		default:
			return l.usableBy(asker) && l.instance != asker.hello.instance && !slices.Contains(exclude, l.instance)
		}
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	names := asker.hello.transports
	start := rand.IntN(len(names) + 1)
	best, bestRank := (*listing)(nil), none
	for i := range names {
		name := names[(start+i)%len(names)]
		if !asker.mayBeOffered(name) {
			continue
		}
		if l, r := ex.candidates.pick(service{V0, name}, suits, asker.offered); r < bestRank {
			best, bestRank = l, r
		}
		if bestRank == fresh {
			break
		}
	}
	if best != nil {
		asker.offered.add(best)
	}
	return best
}

// mayBeOffered tells whether a node can dial with a transport that it says it
// can. A browser bundle of npm 0.4.1 claims tcp, and a tcp offer crashes the tab:
// it goes to nodes of this module, and to others that came over tcp or over a
// websocket that no web page opened.
func (p *Peer) mayBeOffered(transport string) bool {
	if transport != transports.TCP || p.hello.agent != "" {
		return true
	}
	return p.transport == transports.TCP || p.transport == transports.WebSocket && p.origin() == ""
}

func (p *Peer) origin() string {
	if browser, ok := p.conn.(transports.Browser); ok {
		return browser.Origin()
	}
	return ""
}

// usableBy tells whether asker can connect to what is listed.
func (l *listing) usableBy(asker *Peer) bool {
	if l.port == 0 {
		limit := asker.ex.limits.RelaysPerPeer
		return within(int(l.peer.relays.Load())+1, limit)
	}
	// A page that came over https may not open an insecure websocket: trying throws.
	if !l.secure && strings.HasPrefix(asker.origin(), "https:") {
		return false
	}
	return reaches(asker.addr, l.peer.addr)
}

// reaches tells whether a node seen at from can be expected to reach one seen at
// to: an address of this machine or of a private network means nothing outside.
func reaches(from, to netip.Addr) bool {
	switch {
	case !to.IsValid() || to.IsUnspecified() || to.IsMulticast():
		return false
	case to.IsLoopback():
		return from.IsLoopback()
	case to.IsPrivate() || to.IsLinkLocalUnicast():
		return from.IsPrivate() || from.IsLinkLocalUnicast() || from.IsLoopback()
	default:
		return true
	}
}

// address is where the candidate is, in the form that every generation-0 node
// can dial: npm puts it into a URL for websocket, and hands it to the resolver
// for tcp. A negotiated candidate needs one too, any will do.
func (l *listing) address() string {
	addr := l.peer.addr
	switch {
	case !addr.IsValid():
		return "relayed"
	case addr.Is6() && l.service.transport == transports.WebSocket:
		return "[" + addr.String() + "]"
	default:
		return addr.String()
	}
}

// dialAddress reads an address that a node offered, as any implementation writes it.
func dialAddress(address string) (netip.Addr, bool) {
	address = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}
