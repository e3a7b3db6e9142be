package exchange

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// A listing is one way in which a peer may be offered to others.
type listing struct {
	peer      *Peer
	service   service
	opts      json.RawMessage // as other nodes are told them
	host      string          // of an address that a sibling has told, or a verified name; else empty, and the peer is where it was seen
	public    bool            // announced in hello's addresses, and not by accepting
	port      int             // of a direct listing; 0 if negotiated over a relay
	secure    bool
	instance  string
	group     *addressGroup // nil while not in the directory
	placement int           // index in group.members
	check     *check        // that it waits for; nil if there is none
	verified  bool          // the last check has passed
}

// service is what a candidate must offer to be of use: candidates are offered
// only to peers of the same generation.
type service struct {
	protocol  Protocol
	transport string
}

// directory finds a random candidate for a service. Candidates are grouped by
// the network they are seen in, and the group is drawn first: whoever runs a
// thousand nodes in one network is offered no more often than any other network
// is, and the rule that one asker gets at most two answers in a row from one
// network costs a look at a few groups instead of one at every candidate.
//
// Guarded by Exchange.mu.
type directory struct {
	closed   bool // nobody is offered any more
	services map[service]*candidateSet
	changed  func() // called when there is one more or one less; may be nil
}

func (d *directory) notify() {
	if d.changed != nil {
		d.changed()
	}
}

type candidateSet struct {
	groups map[netip.Prefix]*addressGroup
	order  []*addressGroup // the same, to draw from
	size   int             // of all together
}

type addressGroup struct {
	set       *candidateSet
	network   netip.Prefix
	members   []*listing
	placement int // index in set.order
}

func (d *directory) add(l *listing) {
	if l.group != nil {
		return
	}
	set := d.services[l.service]
	if set == nil {
		if d.services == nil {
			d.services = make(map[service]*candidateSet)
		}
		set = &candidateSet{groups: make(map[netip.Prefix]*addressGroup)}
		d.services[l.service] = set
	}
	network := networkOf(l.peer.addr)
	group := set.groups[network]
	if group == nil {
		group = &addressGroup{set: set, network: network, placement: len(set.order)}
		set.groups[network] = group
		set.order = append(set.order, group)
	}
	l.group, l.placement = group, len(group.members)
	group.members = append(group.members, l)
	set.size++
	d.notify()
}

func (d *directory) remove(l *listing) {
	group := l.group
	if group == nil {
		return
	}
	l.group = nil
	group.set.size--
	d.notify()
	last := len(group.members) - 1
	group.members[l.placement] = group.members[last]
	group.members[l.placement].placement = l.placement
	group.members[last] = nil
	group.members = group.members[:last]
	if last > 0 {
		return
	}
	set := group.set
	delete(set.groups, group.network)
	last = len(set.order) - 1
	set.order[group.placement] = set.order[last]
	set.order[group.placement].placement = group.placement
	set.order[last] = nil
	set.order = set.order[:last]
	if last == 0 {
		delete(d.services, l.service)
	}
}

// stock tells how many candidates there are for each service: for those that all
// nodes know, and of others for the ones that have the most, n in all. Strangers make
// up as many as they like.
func (d *directory) stock(n int) map[string]int {
	all := slices.Collect(maps.Keys(d.services))
	if len(all) > n {
		slices.SortFunc(all, func(a, b service) int {
			if a.isKnown() != b.isKnown() {
				if a.isKnown() {
					return -1
				}
				return 1
			}
			return d.services[b].size - d.services[a].size
		})
		all = all[:n]
	}
	stock := make(map[string]int, len(all))
	for _, s := range all {
		stock[s.String()] = d.services[s].size
	}
	return stock
}

// isKnown tells whether every node knows what the service is.
func (s service) isKnown() bool {
	switch s.transport {
	case transports.WebSocket, transports.WebRTC, transports.TCP:
		return true
	}
	return false
}

// How far a search goes before it takes what it has: answers come fast even when
// most candidates are of no use to the asker.
const (
	maxGroupsTried  = 32
	maxMembersTried = 32
)

// rank says how good a candidate is for an asker, smaller being better.
type rank int

const (
	fresh    rank = iota // not led to each other lately
	repeated             // they were
	usedUp               // of a network that the last two answers were from
	none
)

// pick draws one of the candidates that suit and rank best for an asker who was
// offered others before.
func (d *directory) pick(s service, suits func(*listing) bool, before *offers) (*listing, rank) {
	set := d.services[s]
	if set == nil || d.closed {
		return nil, none
	}
	best, bestRank := (*listing)(nil), none
	start := rand.IntN(len(set.order))
	network, isUsedUp := before.usedUp()
	for i := range min(len(set.order), maxGroupsTried) {
		group := set.order[(start+i)%len(set.order)]
		l, r := group.pick(suits, before)
		if l != nil && isUsedUp && group.network == network {
			r = usedUp
		}
		if r < bestRank {
			best, bestRank = l, r
		}
		if r == fresh {
			break
		}
	}
	return best, bestRank
}

func (g *addressGroup) pick(suits func(*listing) bool, before *offers) (*listing, rank) {
	best, bestRank := (*listing)(nil), none
	start := rand.IntN(len(g.members))
	for i := range min(len(g.members), maxMembersTried) {
		l := g.members[(start+i)%len(g.members)]
		if !suits(l) {
			continue
		}
		if !before.has(l) {
			return l, fresh
		}
		best, bestRank = l, repeated
	}
	return best, bestRank
}

// sample draws up to n candidates that suit, at most two of one network before
// every network has given two.
func (d *directory) sample(s service, n int, suits func(*listing) bool) []*listing {
	set := d.services[s]
	if set == nil || d.closed {
		return nil
	}
	var first, rest []*listing
	start := rand.IntN(len(set.order))
	for i := range min(len(set.order), maxGroupsTried) {
		group := set.order[(start+i)%len(set.order)]
		taken := 0
		offset := rand.IntN(len(group.members))
		for j := range min(len(group.members), maxMembersTried) {
			l := group.members[(offset+j)%len(group.members)]
			if !suits(l) {
				continue
			}
			if taken++; taken <= 2 {
				first = append(first, l)
			} else {
				rest = append(rest, l)
			}
		}
	}
	all := append(first, rest...)
	return all[:min(n, len(all))]
}

// offers is whom one peer was led to lately.
type offers struct {
	last []offer // what it was offered: a ring, as far as it is filled
	next int
	to   [offersRemembered]uint64 // to whom it was offered, by serial: a ring
	then int
}

type offer struct {
	serial  uint64 // of the candidate
	sibling string // the instance of the seed whose candidate it is; empty for this node's
	network netip.Prefix
}

// offersRemembered is how many offers are remembered.
const offersRemembered = 8

// offers returns what is remembered for a peer. The caller holds Exchange.mu.
func (p *Peer) offers() *offers {
	if p.offered == nil {
		p.offered = new(offers)
	}
	return p.offered
}

func (o *offers) add(l *listing) {
	o.note(offer{l.peer.serial, "", networkOf(l.peer.addr)})
}

// led notes that somebody was offered this peer.
func (o *offers) led(asker *Peer) {
	o.to[o.then] = asker.serial
	o.then = (o.then + 1) % len(o.to)
}

func (o *offers) note(made offer) {
	if o.last == nil {
		o.last = make([]offer, 0, offersRemembered)
	}
	if len(o.last) < cap(o.last) {
		o.last = append(o.last, made)
	} else {
		o.last[o.next] = made
	}
	o.next = (o.next + 1) % cap(o.last)
}

// has tells whether the two were led to each other.
func (o *offers) has(l *listing) bool {
	return slices.Contains(o.to[:], l.peer.serial) ||
		slices.ContainsFunc(o.last, func(made offer) bool { return made.serial == l.peer.serial && made.sibling == "" })
}

// before returns the last offer but i.
func (o *offers) before(i int) *offer {
	return &o.last[(o.next+cap(o.last)-1-i)%cap(o.last)]
}

// usedUp is the network of the last two offers, if both were of one.
func (o *offers) usedUp() (network netip.Prefix, ok bool) {
	if len(o.last) < 2 || o.before(0).network != o.before(1).network {
		return netip.Prefix{}, false
	}
	return o.before(0).network, true
}
