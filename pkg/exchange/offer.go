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

// asking is who asks for a candidate, as far as the choice depends on it.
type asking struct {
	peer       *Peer    // nil if a sibling asks for a peer of its own
	link       *Peer    // that sibling, else nil
	transports []string // that it can be offered; generation 0 only
	addr       netip.Addr
	owner      netip.Prefix // whose share of a candidate's relays it takes
	secure     bool         // insecure websockets are of no use to it
	instance   string       // empty for npm nodes
	alias      string       // what the sibling calls it if it has none
	exclude    []string     // instances and aliases that it has already
	excludes   bool         // it knows that feature
	offered    *offers      // before

	avoid netip.Prefix // a network that none is to be of; not valid for no such thing
}

// asks describes a peer that asks for a candidate of generation 0.
func (ex *Exchange) asks(p *Peer, exclude []string) *asking {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	a := &asking{
		peer: p, transports: make([]string, 0, len(p.hello.transports)), addr: p.addr, owner: p.owner, secure: strings.HasPrefix(p.origin(), "https:"),
		instance: p.hello.instance, exclude: exclude, excludes: p.hello.has(featureExclude),
	}
	for _, name := range p.hello.transports {
		if p.mayBeOffered(name) {
			a.transports = append(a.transports, name)
		}
	}
	a.offered = p.offers()
	return a
}

// suits tells whether a candidate is one that the asker can connect to and does
// not have.
func (a *asking) suits(l *listing) bool {
	switch {
	case a.peer != nil && l.peer == a.peer, !l.usableBy(a):
		return false
	case a.avoid.IsValid() && networkOf(l.peer.addr) == a.avoid:
		return false
	case l.instance != "":
		return l.instance != a.instance && !slices.Contains(a.exclude, l.instance)
	case l.peer.alias != "" && slices.Contains(a.exclude, l.peer.alias):
		return false
	default:
		return a.link == nil || a.instance != "" || !sameNode(a.addr, l.peer.addr)
	}
}

// sameNode tells whether two connections to two seeds may be those of one node
// that has no instance to tell: they come from one address. On one machine
// everybody has the same, which says nothing.
func sameNode(a, b netip.Addr) bool { return a == b && !a.IsLoopback() }

// pick draws a candidate for an asker of generation 0 from a directory, and notes
// that it was offered.
func (ex *Exchange) pick(from *directory, a *asking) *listing {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	start := rand.IntN(len(a.transports) + 1)
	best, bestRank := (*listing)(nil), none
	for i := range a.transports {
		name := a.transports[(start+i)%len(a.transports)]
		if l, r := from.pick(service{V0, name}, a.suits, a.offered); r < bestRank {
			best, bestRank = l, r
		}
		if bestRank == fresh {
			break
		}
	}
	if best == nil {
		return nil
	}
	a.offered.add(best)
	if a.peer != nil && !best.peer.Sibling() {
		best.peer.offers().led(a.peer)
	}
	return best.withName(a)
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

// usableBy tells whether the asker can connect to what is listed.
func (l *listing) usableBy(a *asking) bool {
	if l.port == 0 {
		return l.peer.hasRelayRoom(a.owner)
	}
	// npm nodes know no TLS but that of websockets.
	if l.secure && l.service.transport == transports.TCP && a.instance == "" {
		return false
	}
	// A page that came over https may not open an insecure websocket: trying throws.
	if !l.secure && a.secure {
		return false
	}
	if l.host != "" && !l.public {
		ip, isIP := dialAddress(l.host) // of a sibling
		return !isIP || reaches(a.addr, ip)
	}
	// The machine that a sibling is on has another loopback, unless it is this one.
	if a.link != nil && l.peer.addr.IsLoopback() && !a.link.addr.IsLoopback() {
		return false
	}
	return reaches(a.addr, l.peer.addr)
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
	if l.host != "" {
		ip, isIP := dialAddress(l.host)
		if !isIP {
			return l.host
		}
		addr = ip
	}
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
