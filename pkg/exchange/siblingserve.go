package exchange

import (
	"net/netip"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// What a seed does for a sibling: it offers its own peers, and no sibling, so that
// nothing is passed on twice.

// serve answers a sibling's request for a peer.
func (l *link) serve(id string, want *wire.MeshWant) {
	answer := &wire.Mesh{Op: wire.MeshHas, ID: id}
	a := l.asks(want)
	if want.Generation == int(V1) {
		answer.IDs = l.handOut(a, want.Count)
		l.p.control.Send(wire.AppendMesh(nil, answer))
		return
	}
	ex := l.p.ex
	for range 3 {
		candidate := ex.pick(&ex.candidates, a)
		if candidate == nil {
			break
		}
		answer.Found = &wire.MeshFound{
			Candidate: candidate.peer.serial, Transport: candidate.service.transport, Opts: candidate.opts, Address: candidate.address(),
		}
		if network := networkOf(candidate.peer.addr); network.IsValid() {
			answer.Found.Network = network.String()
		}
		if a.excludes {
			answer.Found.Alias = ex.aliasOf(candidate.peer)
		}
		if candidate.port != 0 || l.introduce(candidate, a, answer) {
			break
		}
		answer.Found = nil
	}
	if answer.Found == nil || answer.Found.Nonce == "" {
		l.p.control.Send(wire.AppendMesh(nil, answer))
	}
}

// asks describes who asks a sibling, as the sibling tells.
func (l *link) asks(want *wire.MeshWant) *asking {
	a := &asking{
		link: l.p, transports: want.Transports, secure: want.Secure,
		instance: want.Instance, exclude: want.Exclude, excludes: want.Excludes,
		offered: new(offers),
	}
	if wire.IsInstance(want.Alias) {
		a.alias = want.Alias
	}
	a.addr, _ = netip.ParseAddr(want.Address)
	a.owner = ownedBy(a.addr)
	a.avoid, _ = netip.ParsePrefix(want.Avoid)
	for _, serial := range want.Seen {
		a.offered.note(offer{serial: serial})
	}
	return a
}

// introduce sets up a relay between the sibling, for whoever asks there, and a
// candidate. The sibling learns of it first: it is to expect the channel before
// anything can come from the candidate.
func (l *link) introduce(candidate *listing, a *asking, answer *wire.Mesh) bool {
	nonce := newID()
	name := "relay:" + nonce
	r := &relay{ex: l.p.ex, guard: l.p.ex.guardFor(candidate.service.transport), asked: a.owner}
	r, limit := r.open(l.p, candidate.peer, relayNames{name, name})
	if limit != "" {
		l.p.ex.refused(limit, l.p.RemoteAddress())
	}
	if r == nil {
		return false
	}
	answer.Found.Nonce = nonce
	l.p.control.Send(wire.AppendMesh(nil, answer))
	alias := ""
	if candidate.peer.knows(featureExclude) {
		alias = a.alias
	}
	if err := candidate.peer.control.Send(wire.AppendIncoming(nil, nonce, candidate.service.transport, 0, alias)); err != nil {
		r.close()
	}
	return true
}

// Generation 1.

// handOut makes ids for candidates of generation 1.
func (l *link) handOut(a *asking, count int) []string {
	ex := l.p.ex
	ex.mu.Lock()
	listings := ex.candidates.sample(service{V1, transports.WebRTC}, min(max(count, 0), candidatesPerRes), a.suits)
	ex.mu.Unlock()
	ids := make([]string, len(listings))
	for i, candidate := range listings {
		h := ex.newHandedOut(candidate)
		l.handed.add(h)
		ids[i] = h.id
	}
	return ids
}

// relay sets up a relay to a candidate of this node's that a sibling was told of.
func (l *link) relay(id string) {
	answer := func(failure string) {
		l.p.control.Send(wire.AppendMesh(nil, &wire.Mesh{Op: wire.MeshRelayed, ID: id, Error: failure}))
		if failure != "" {
			l.refuseRelay(id)
		}
	}
	candidate := l.handed.take(id)
	if candidate == nil {
		answer(unknownCandidate)
		return
	}
	l.p.ex.introduceV1(l.p, "relay:"+id, candidate, answer)
}

// refuseRelay ends the sibling's half of a relay that there is none of here. One that
// there still is ends it itself.
func (l *link) refuseRelay(id string) {
	l.abandon(&wire.MeshFound{Nonce: id})
}

// relayTo sets up a relay between a peer of generation 1, which knows it by the
// name given, and a sibling's candidate. answer is called once with what the sibling
// says, or when there is nothing to be said any more.
func (l *link) relayTo(asker *Peer, name, id string, answer func(failure string)) {
	ex := l.p.ex
	ended := func() {
		if opening := l.opened(id); opening != nil {
			opening(noRelay)
		}
	}
	ex.mu.Lock()
	if l.opening == nil {
		l.opening = make(map[string]func(string))
	}
	l.opening[id] = answer
	ex.mu.Unlock()
	r, limit := ex.newRelay(asker, l.p, relayNames{name, "relay:" + id}, wire.NewGuardV1(ex.limits.signalBytes()), ended)
	if limit != "" {
		ex.refused(limit, asker.RemoteAddress())
	}
	if r != nil {
		l.p.control.Send(wire.AppendMesh(nil, &wire.Mesh{Op: wire.MeshRelay, ID: id}))
	}
}

// opened takes out who waits for a relay, or returns nil.
func (l *link) opened(id string) func(failure string) {
	ex := l.p.ex
	ex.mu.Lock()
	defer ex.mu.Unlock()
	opening := l.opening[id]
	delete(l.opening, id)
	return opening
}

// relayed takes the sibling's answer to relay.
func (l *link) relayed(id, failure string) {
	if opening := l.opened(id); opening != nil {
		opening(failure)
	}
}

// What askers of generation 1 are told that get no relay.
const (
	unknownCandidate = "Peer requested unknown candidate"
	noRelay          = "Candidate is gone or does not answer, or there is no room for another relay"
)
