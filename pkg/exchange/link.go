package exchange

import (
	"slices"
	"sync/atomic"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// link is the connection to a sibling.
type link struct {
	// Static after construction.
	p      *Peer
	secret []byte

	// Owned by the read loop.
	handed handedTable

	suspect atomic.Int64 // since when it owes an answer, in Unix nanoseconds; 0 if it does not

	// Guarded by Exchange.mu.
	info     SiblingInfo
	peers    int
	draining bool
	services map[service]int
	told     string                          // the state that it was sent last
	opening  map[string]func(failure string) // generation 1: relays that its candidates have not agreed to yet
}

// take takes a message of the sibling. The read loop calls it.
func (l *link) take(m *wire.Mesh) error {
	l.suspect.Store(0)
	switch m.Op {
	case wire.MeshIs:
		if m.State != nil {
			l.is(m.State)
		}
	case wire.MeshGet:
		if m.Want != nil {
			l.serve(m.ID, m.Want)
		}
	case wire.MeshHas:
		l.has(m)
	case wire.MeshRelay:
		l.relay(m.ID)
	case wire.MeshRelayed:
		l.relayed(m.ID, m.Error)
	}
	return nil // newer siblings may know more
}

// is takes over what the sibling says of itself.
func (l *link) is(s *wire.MeshState) {
	ex := l.p.ex
	services := make(map[service]int)
	for text, n := range s.Services {
		if service, ok := serviceOf(text); ok && n > 0 && len(services) < maxAnnouncedTransports {
			services[service] = min(n, maxStatedPeers)
		}
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	l.info, l.peers, l.services = readSiblingInfo(s), min(max(s.Peers, 0), maxStatedPeers), services
	l.draining = s.Draining
	if _, there := ex.mesh.links[l]; there {
		l.offer()
		ex.publishSiblings()
	}
}

// maxStatedPeers is what a sibling can have at most; sums of it do not overflow.
const maxStatedPeers = 1 << 30

// offer lists what of the sibling clients may be offered: its addresses, beside
// what it says in hello that it accepts, and nothing when it is about to go, or
// when seeds take members only: nobody shows a token to whom it was offered. The
// caller holds mu.
func (l *link) offer() {
	p, offered := l.p, &l.p.ex.mesh.offered
	for _, old := range p.listings {
		offered.remove(old)
	}
	p.listings = slices.DeleteFunc(p.listings, func(old *listing) bool { return old.host != "" })
	for _, address := range l.info.Addresses {
		if made := p.listingOf(address); made != nil {
			p.listings = append(p.listings, made)
		}
	}
	if _, ready := p.ex.peers[p]; !ready || l.draining || p.ex.config.Admit != nil {
		return
	}
	for _, each := range p.listings {
		// What it accepts has no port of its own here: its addresses are those that it told.
		if each.host != "" || each.port == 0 {
			offered.add(each)
		}
	}
}

// listingOf makes a listing of an address that a sibling has told.
func (p *Peer) listingOf(address string) *listing {
	a, err := parseURL(address)
	if err != nil {
		return nil
	}
	opts, err := transports.Options{Port: a.port, Secure: a.secure}.MarshalJSON()
	if err != nil {
		return nil
	}
	return &listing{
		peer: p, service: service{V0, a.transport}, instance: p.hello.instance,
		host: a.host, port: a.port, secure: a.secure, opts: opts,
	}
}

// directory is where what a peer accepts is listed. The caller holds mu.
func (p *Peer) directory() *directory {
	if p.sibling.Load() != nil {
		return &p.ex.mesh.offered
	}
	return &p.ex.candidates
}

// Sibling tells whether the peer is a seed that this one is linked with; see
// Exchange.Siblings.
func (p *Peer) Sibling() bool { return p.sibling.Load() != nil }

// identifySibling makes a sibling of a peer that has proved to be one, and settles
// which link stays when there is one already, as identify does with peers. Whoever only
// says to be the same instance is none of the two.
func (ex *Exchange) identifySibling(p *Peer, secret []byte) error {
	ex.mu.Lock()
	m := ex.mesh
	var losers, impostors []*Peer
	siblings := 0
	for _, old := range ex.instances[p.hello.instance] {
		if old.isClosed() {
			continue
		}
		if old.sibling.Load() == nil {
			impostors = append(impostors, old)
			continue
		}
		switch ex.loser(old, p) {
		case p:
			ex.mu.Unlock()
			old.probe()
			return ErrDuplicate
		case old:
			losers = append(losers, old)
		default:
			p.rival = old
			defer old.probe()
		}
	}
	for l := range m.links {
		if l.p.hello.instance != p.hello.instance {
			siblings++
		}
	}
	if !within(siblings+1, ex.limits.Siblings) {
		ex.mu.Unlock()
		ex.refused("siblings", p.RemoteAddress())
		return ErrLimit
	}
	l := &link{p: p, secret: secret}
	p.sibling.Store(l)
	m.links[l] = struct{}{}
	ex.instances[p.hello.instance] = append(ex.instances[p.hello.instance], p)
	ex.mu.Unlock()

	channels := Unlimited
	if ex.limits.RelaysPerSibling >= 0 {
		channels = ex.limits.RelaysPerSibling + channelsBeside
	}
	p.session.SetLimits(channels, siblingQueueBytes)
	p.lines.Max = max(p.lines.Max, siblingLineBytes)
	p.release() // its place among strangers
	for _, old := range losers {
		old.retire()
	}
	for _, other := range impostors {
		other.fail(ErrDuplicate)
	}
	return nil
}

// What a link has room for: signals of many peers at once, and the channels that
// are no relays, or that the other side has not ended yet.
const (
	siblingQueueBytes = 16 << 20
	siblingLineBytes  = 64 << 10 // what Limits.ControlMessageBytes is at least: for messages of seeds, which strangers have a say in
	channelsBeside    = 1024
)

// linked tells the sibling and the log of a link that is ready.
func (ex *Exchange) linked(l *link) {
	ex.mu.Lock()
	ex.publishSiblings()
	ex.mu.Unlock()
	ex.logger.Info("sibling connected", "sibling", l.p.Instance(), "remote_addr", l.p.RemoteAddress(), "outgoing", l.p.outgoing)
	ex.sendStates()
}

// unlink forgets a sibling. The caller holds mu, and may call it again.
func (ex *Exchange) unlink(l *link) {
	if _, there := ex.mesh.links[l]; !there {
		return
	}
	delete(ex.mesh.links, l)
	ex.publishSiblings()
	if !l.p.readyAt.IsZero() {
		ex.logger.Info("sibling lost", "sibling", l.p.hello.instance, "remote_addr", l.p.RemoteAddress())
	}
}

// watchLink ends a link whose secret is none any more.
func (ex *Exchange) watchLink(l *link) bool {
	if ex.mesh.config.has(l.secret) {
		return true
	}
	l.p.fail(ErrMeshSecret)
	return false
}

// siblingPeer returns the link with an instance, or nil. While two stand for a
// moment, it is the older one, which stays.
func (ex *Exchange) siblingPeer(instance string) *Peer {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.mesh == nil {
		return nil
	}
	var oldest *Peer
	for l := range ex.mesh.links {
		p := l.p
		if p.hello.instance != instance || p.readyAt.IsZero() || p.isClosed() {
			continue
		}
		if oldest == nil || p.readyAt.Before(oldest.readyAt) {
			oldest = p
		}
	}
	return oldest
}
