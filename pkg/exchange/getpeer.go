package exchange

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// getPeer is a request for a peer of generation 0 that is being answered. It
// looks in up to three places: among this node's peers, among those of its
// siblings, and then at the siblings themselves. The siblings' peers come first by
// a share in proportion to how many there are. If the last two answers were of one
// network, it looks for peers of all others first, in both places, and then again.
//
// The read loop begins it. Once it was forwarded it goes on in the read loop of a
// link or in a timer.
type getPeer struct {
	v      *v0
	reqID  string
	asking *asking
	here   bool // this node's peers were looked at
}

// usualMessage is what most messages about a candidate take.
const usualMessage = 256

// begin answers, or has the request answered later.
func (g *getPeer) begin() {
	// What this node has itself, a directory ranks.
	if ex := g.v.p.ex; ex.mesh != nil {
		ex.mu.Lock()
		if len(ex.mesh.links) > 0 {
			g.asking.avoid, _ = g.asking.offered.usedUp()
		}
		ex.mu.Unlock()
	}
	g.search()
}

// search looks for peers, here and at the siblings.
func (g *getPeer) search() {
	farFirst := g.farFirst()
	if farFirst && g.forward() {
		return
	}
	if g.offer(&g.v.p.ex.candidates) {
		return
	}
	g.here = true
	if farFirst || !g.forward() {
		g.end()
	}
}

// services are those that the asker can use.
func (g *getPeer) services() []service {
	var all []service
	for _, name := range g.asking.transports {
		all = append(all, service{V0, name})
	}
	return all
}

// farFirst draws whether the siblings' peers are looked at first.
func (g *getPeer) farFirst() bool {
	p, ex := g.v.p, g.v.p.ex
	if ex.mesh == nil {
		return false
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	far, here := ex.stocks(g.services())
	if far == 0 {
		return false
	}
	for _, l := range p.listings {
		if l.group != nil && slices.Contains(g.asking.transports, l.service.transport) {
			here-- // itself
		}
	}
	return rand.IntN(far+max(here, 0)) < far
}

// forward passes the request on to a sibling, if there is one to ask.
func (g *getPeer) forward() bool {
	ex, a := g.v.p.ex, g.asking
	if ex.mesh == nil {
		return false
	}
	f := &forward{
		ex: ex, tries: forwardsTried, services: g.services(), seen: g.seen, done: g.forwarded,
		want: wire.MeshWant{
			Transports: a.transports, Secure: a.secure, Instance: a.instance, Exclude: instancesOf(a.exclude), Excludes: a.excludes, Alias: ex.aliasOf(a.peer),
		},
	}
	if a.addr.IsValid() {
		f.want.Address = a.addr.String()
	}
	if a.avoid.IsValid() {
		f.want.Avoid = a.avoid.String()
	}
	return f.begin()
}

// instancesOf returns those of the names that can be instances or aliases. What else a stranger
// puts there is of no use to a sibling, and might be too large for it.
func instancesOf(names []string) (instances []string) {
	for _, name := range names {
		if wire.IsInstance(name) {
			instances = append(instances, name)
		}
	}
	return instances
}

// seen is what the asker was offered of a sibling's peers lately.
func (g *getPeer) seen(via *link) []uint64 {
	ex := g.v.p.ex
	ex.mu.Lock()
	defer ex.mu.Unlock()
	var serials []uint64
	for _, made := range g.asking.offered.last {
		if made.sibling == via.p.hello.instance {
			serials = append(serials, made.serial)
		}
	}
	return serials
}

// forwarded goes on with what the siblings have found.
func (g *getPeer) forwarded(f *forwarded) {
	ex := g.v.p.ex
	if f.via != nil && g.pass(f) {
		return
	}
	if !g.here && g.offer(&ex.candidates) {
		return
	}
	g.end()
}

// pass offers a sibling's candidate to the asker.
func (g *getPeer) pass(f *forwarded) bool {
	p, ex, found := g.v.p, g.v.p.ex, f.found
	if found == nil || !slices.Contains(g.asking.transports, found.Transport) {
		return false
	}
	nonce := newID()
	if found.Nonce != "" {
		r, limit := ex.newRelay(p, f.via.p, relayNames{"relay:" + nonce, "relay:" + found.Nonce}, ex.guardFor(found.Transport), nil)
		if limit != "" {
			ex.refused(limit, p.RemoteAddress())
		}
		if r == nil {
			f.via.abandon(found)
			return false
		}
		ex.counters.relayed.Add(1)
	} else {
		ex.counters.direct.Add(1)
	}
	ex.mu.Lock()
	network, _ := netip.ParsePrefix(found.Network)
	g.asking.offered.note(offer{found.Candidate, f.via.p.hello.instance, network})
	ex.mu.Unlock()
	alias := ""
	if g.asking.excludes && wire.IsInstance(found.Alias) {
		alias = found.Alias
	}
	g.v.send(wire.AppendAnswer(make([]byte, 0, usualMessage), g.reqID, wire.Answer{
		Transport: found.Transport, Opts: found.Opts, Address: found.Address, Nonce: nonce, Alias: alias,
	}))
	return true
}

// offer offers one of a directory's candidates, if it has one that suits.
func (g *getPeer) offer(from *directory) bool {
	ex := g.v.p.ex
	// A candidate may turn out to be full or gone between being drawn and being told.
	for range 3 {
		l := ex.pick(from, g.asking)
		if l == nil {
			break
		}
		nonce := newID()
		relayed := 0
		if l.port != 0 {
			ex.counters.direct.Add(1)
		} else {
			var ok bool
			if relayed, ok = g.v.introduce(l, nonce); !ok {
				continue
			}
			ex.counters.relayed.Add(1)
		}
		alias := ""
		if g.asking.excludes {
			alias = ex.aliasOf(l.peer)
		}
		g.v.send(wire.AppendAnswer(make([]byte, 0, usualMessage), g.reqID, wire.Answer{
			Transport: l.service.transport, Opts: l.opts, Address: l.address(), Nonce: nonce, Relayed: relayed, Alias: alias,
		}))
		return true
	}
	return false
}

// end searches again if there is only who was not looked for, and offers a sibling
// where there is nobody else, or nobody.
func (g *getPeer) end() {
	ex := g.v.p.ex
	if g.asking.avoid.IsValid() {
		g.asking.avoid, g.here = netip.Prefix{}, false
		g.search()
		return
	}
	if ex.mesh != nil && g.offer(&ex.mesh.offered) {
		return
	}
	ex.counters.none.Add(1)
	g.v.send(wire.AppendNoPeer(nil, g.reqID))
}

// introduce sets up a relay between the asker and a candidate, who must know of
// it before anything comes through. relayed is what the relay carries if the
// negotiation fails; see wire.V0.
func (v *v0) introduce(l *listing, nonce string) (relayed int, ok bool) {
	var r *relay
	var limit string
	name, transport := "relay:"+nonce, l.service.transport
	if relayed = v.p.ex.carries(v.p, l.peer, transport); relayed > 0 {
		r, limit = v.p.ex.newCarryingRelay(v.p, l.peer, nonce)
	} else {
		r, limit = v.p.ex.newRelay(v.p, l.peer, relayNames{name, name}, v.p.ex.guardFor(transport), nil)
	}
	if limit != "" {
		v.p.ex.refused(limit, v.p.RemoteAddress())
	}
	if r == nil {
		return 0, false
	}
	if err := l.peer.control.Send(wire.AppendIncoming(make([]byte, 0, usualMessage), nonce, transport, relayed, v.p.ex.aliasFor(l.peer, v.p))); err != nil {
		r.close()
		return 0, false
	}
	return relayed, true
}

// mayAsk counts a request for peers against Limits.GetPeerPerSecond.
func (p *Peer) mayAsk(limiter **rate.Limiter) bool {
	perSecond := p.ex.limits.GetPeerPerSecond
	if perSecond < 0 {
		return true
	}
	if *limiter == nil {
		*limiter = rate.NewLimiter(rate.Limit(perSecond), 5*perSecond)
	}
	if (*limiter).Allow() {
		return true
	}
	p.ex.refused("getpeer-per-second", p.RemoteAddress())
	return false
}

// holdUp reads no more from a peer that asks too often for as long as one request
// takes at the rate that it may ask at, behind the refusal. So what a flood costs
// is bounded, however fast it comes, and all else that the peer has to say waits
// with it: what is not read fills the connection, and then stays at the sender.
func (p *Peer) holdUp() {
	if p.session.Unhold() {
		p.rest(time.Second / time.Duration(p.ex.limits.GetPeerPerSecond))
	}
}

// rest stops reading from a peer for some time, or until its session ends.
func (p *Peer) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.session.Done():
	}
}
