package exchange

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/time/rate"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// v1 speaks generation 1 of the protocol, PXP, on one connection (npm pxp 1.1.0,
// lib/peer.js; npm peer-exchange 2.2.0, lib/swarm.js).
type v1 struct {
	// Static after construction.
	p *Peer

	// Owned by the read loop.
	helloSeen, connectSeen bool
	getPeers               *rate.Limiter // lazily

	mu sync.Mutex
	// Guarded by mu.
	requests  uint64                // sent so far
	pending   map[string]v1Response // by nonce
	handedOut []handedOut           // candidates by their ids, oldest first
}

// v1Response takes the args of the answer to a request. The read loop calls it.
type v1Response func(args json.RawMessage) error

func newV1(p *Peer) *v1 { return &v1{p: p} }

func (v *v1) send(message []byte) error { return v.p.control.Send(message) }

// expect makes the nonce of a request, whose answer goes to response if that is
// not nil. An answer need not ever come: whoever stops waiting forgets it.
func (v *v1) expect(response v1Response) json.RawMessage {
	v.mu.Lock()
	defer v.mu.Unlock()
	nonce := wire.NonceV1(v.requests)
	v.requests++
	if response != nil {
		if v.pending == nil {
			v.pending = make(map[string]v1Response)
		}
		v.pending[string(nonce)] = response
	}
	return nonce
}

// forget tells whether the answer has not come yet.
func (v *v1) forget(nonce json.RawMessage) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, waits := v.pending[string(nonce)]
	delete(v.pending, string(nonce))
	return waits
}

// A node of generation 1 says what it accepts once, in hello.
func (v *v1) announce(string, json.RawMessage) {}
func (v *v1) unannounce(string)                {}

func (v *v1) line(line []byte) error {
	var m wire.V1
	if err := wire.DecodeV1(line, &m); err != nil {
		return err
	}
	defer v.p.paced()
	if v.p.refusal != nil {
		return v.refuse(&m)
	}
	if m.Command == wire.V1Hello {
		return v.onHello(&m)
	}
	// As with npm, what comes before hello is lost.
	if !v.helloSeen {
		return nil
	}
	switch m.Command {
	case wire.V1GetPeers:
		return v.onGetPeers(&m)
	case wire.V1Relay:
		return v.onRelay(&m)
	case wire.V1Incoming:
		return v.onIncoming(&m)
	case wire.V1Connect:
		return v.onConnect(&m)
	case wire.V1Res:
		return v.onRes(&m)
	}
	// An upgrade makes sense in a relay only, and an answer to it crashes npm nodes.
	return nil
}

func (v *v1) onRes(m *wire.V1) error {
	v.mu.Lock()
	response := v.pending[string(m.Nonce)]
	delete(v.pending, string(m.Nonce))
	v.mu.Unlock()
	if response == nil {
		return nil
	}
	return response(m.Args)
}

func (v *v1) onGetPeers(m *wire.V1) error {
	p, ex := v.p, v.p.ex
	if m.Network != ex.id {
		return v.send(wire.AppendV1GetPeersError(nil, m.Nonce, fmt.Sprintf("Peer requested an unknown network: %.64q", m.Network)))
	}
	if !p.mayAsk(&v.getPeers) {
		err := v.send(wire.AppendV1GetPeersError(nil, m.Nonce, "Peer asks for peers too often"))
		p.holdUp()
		return err
	}
	(&getPeers{v: v, nonce: slices.Clone(m.Nonce)}).begin()
	return nil
}
