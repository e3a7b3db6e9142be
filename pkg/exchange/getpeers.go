package exchange

import (
	"encoding/json"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// getPeers is a request for peers of generation 1 that is being answered: with a
// list of this node's peers and of its siblings', in proportion to how many there
// are. The siblings are asked at the same time, and there is one answer once all
// have answered or had their time.
type getPeers struct {
	v      *v1
	nonce  json.RawMessage
	asking *asking

	// Guarded by ex.mu.
	waiting int // siblings that have not answered, and begin
	far     []handedOut
}

// siblingsAsked is how many siblings one list comes from at most.
const siblingsAsked = 4

var listedServices = []service{{V1, transports.WebRTC}}

func (g *getPeers) begin() {
	p, ex := g.v.p, g.v.p.ex
	g.asking = &asking{peer: p, addr: p.addr, owner: p.owner}
	g.waiting = 1
	for _, share := range g.shares() {
		f := &forward{
			ex: ex, tries: 1, via: share.via, services: listedServices, done: g.forwarded,
			want: wire.MeshWant{Generation: int(V1), Count: share.count},
		}
		if p.addr.IsValid() {
			f.want.Address = p.addr.String()
		}
		ex.mu.Lock()
		g.waiting++
		ex.mu.Unlock()
		if !f.begin() {
			g.forwarded(&forwarded{})
		}
	}
	g.forwarded(&forwarded{})
}

// share is how many candidates a sibling is asked for.
type share struct {
	via   *link
	count int
}

// shares draws the siblings to ask, and how many candidates each.
func (g *getPeers) shares() []share {
	p, ex := g.v.p, g.v.p.ex
	if ex.mesh == nil {
		return nil
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	_, total := ex.stocks(listedServices)
	if len(p.listings) > 0 {
		total-- // itself
	}
	draw := &forward{ex: ex, services: listedServices, tries: siblingsAsked}
	var drawn []share
	for {
		via := draw.next()
		if via == nil {
			break
		}
		draw.tried = append(draw.tried, via)
		drawn = append(drawn, share{via, via.stock(listedServices)})
		total += via.stock(listedServices)
	}
	total = max(total, 1)
	for i := range drawn {
		// Rounded up: nobody is too few to be listed.
		drawn[i].count = min(drawn[i].count, (candidatesPerRes*drawn[i].count+total-1)/total)
	}
	return drawn
}

// forwarded takes what one sibling has found, and answers after the last.
func (g *getPeers) forwarded(f *forwarded) {
	ex := g.v.p.ex
	ex.mu.Lock()
	for _, id := range f.ids {
		if len(g.far) < candidatesPerRes {
			h := ex.newHandedOut(nil)
			h.via, h.remote = f.via, id
			g.far = append(g.far, h)
		}
	}
	g.waiting--
	if g.waiting > 0 {
		ex.mu.Unlock()
		return
	}
	near := ex.candidates.sample(service{V1, transports.WebRTC}, candidatesPerRes, g.asking.suits)
	ex.mu.Unlock()
	g.answer(near)
}

func (g *getPeers) answer(near []*listing) {
	v, ex := g.v, g.v.p.ex
	all := g.far
	for _, l := range near[:min(len(near), candidatesPerRes-len(all))] {
		all = append(all, ex.newHandedOut(l))
	}
	if len(all) == 0 {
		ex.counters.none.Add(1)
	} else {
		ex.counters.relayed.Add(1)
	}
	candidates := make([]wire.Candidate, len(all))
	for i, h := range all {
		v.handOut(h)
		candidates[i] = wire.Candidate{ID: h.id, Network: ex.id, ConnectInfo: acceptingWebRTC}
	}
	_ = v.send(wire.AppendV1Candidates(nil, g.nonce, candidates)) // the asker's loss
}
