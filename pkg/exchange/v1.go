package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
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

func (v *v1) forget(nonce json.RawMessage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.pending, string(nonce))
}

// What a node says of how it can be reached. Null would be the word for "not at
// all", but a JavaScript neighbour passes it on to others, who crash on it.
var (
	acceptingWebRTC = json.RawMessage(`{"pxp":true,"relay":true,"webrtc":true}`)
	acceptingNobody = json.RawMessage(`{"pxp":false,"relay":false,"webrtc":false}`)
)

func (v *v1) begin() error {
	info := acceptingNobody
	if v.p.ex.accepts(transports.WebRTC) {
		info = acceptingWebRTC
	}
	return v.send(wire.AppendV1Hello(nil, v.expect(nil), info, []string{v.p.ex.id}))
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

func (v *v1) onHello(m *wire.V1) error {
	p := v.p
	switch {
	case v.helloSeen:
		return nil
	case m.Version != 1:
		p.dismiss(fmt.Errorf("%w: it speaks version %d of PXP", ErrVersionMismatch, m.Version))
		return nil
	case !slices.Contains(m.Networks, p.ex.id):
		p.dismiss(fmt.Errorf("%w: it is in %.64q, this node in %q", ErrNetworkMismatch, m.Networks, p.ex.id))
		return nil
	}
	if err := p.admit(""); err != nil {
		p.refusal = err
		time.AfterFunc(closeLinger, func() { p.fail(err) })
		return nil
	}
	v.helloSeen = true
	if err := p.ex.identify(p, hello{}); err != nil {
		return err
	}
	if info, ok := candidateInfo(m.ConnectInfo); ok {
		p.list(transports.WebRTC, info)
	}
	if !p.outgoing {
		return p.becomeReady()
	}
	nonce := v.expect(func(args json.RawMessage) error {
		if text, failed := wire.ResError(args); failed {
			if strings.HasPrefix(text, reasonUnauthorized) {
				return ErrUnauthorized
			}
			return fmt.Errorf("connect to network %q: peer says %.128q", p.ex.id, text)
		}
		p.stream.open(false, 0)
		return p.becomeReady()
	})
	return v.send(wire.AppendV1Connect(nil, nonce, p.ex.id))
}

// refuse tells a node that it is turned away, in the one place where it can hear
// it: in answer to connect, which follows its hello.
func (v *v1) refuse(m *wire.V1) error {
	if m.Command != wire.V1Connect {
		return nil
	}
	err := v.send(wire.AppendV1ResError(nil, m.Nonce, reasonUnauthorized+": this node takes members only"))
	v.p.dismiss(v.p.refusal)
	return err
}

// candidateInfo is what others are told of how a peer can be reached, or false if
// it cannot be: in the only form that is of use to them.
func candidateInfo(connectInfo json.RawMessage) (json.RawMessage, bool) {
	var info struct{ PXP, Relay, WebRTC bool }
	if len(connectInfo) == 0 || json.Unmarshal(connectInfo, &info) != nil {
		return nil, false
	}
	return acceptingWebRTC, info.PXP && info.Relay && info.WebRTC
}

func (v *v1) onConnect(m *wire.V1) error {
	switch {
	case m.Network != v.p.ex.id:
		return v.send(wire.AppendV1ResError(nil, m.Nonce, fmt.Sprintf("Peer requested an unknown network: %.64q", m.Network)))
	case v.connectSeen || v.p.outgoing:
		return v.send(wire.AppendV1ResError(nil, m.Nonce, fmt.Sprintf("Peer tried to connect to network %q twice", m.Network)))
	}
	v.connectSeen = true
	// The other node expects data from the moment that it asked for it.
	v.p.stream.open(false, 0)
	return v.send(wire.AppendV1Res(nil, m.Nonce))
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

// The asked side.

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

// onRelay sets up a relay to a candidate, in the order that npm needs (WIRE.md
// §4.3): the candidate is told and agrees, the asker is answered, bytes flow.
func (v *v1) onRelay(m *wire.V1) error {
	asked := slices.Clone(m.Nonce)
	// An error would be the asker's, and this is most often another peer's loop.
	answer := func(failure string) {
		if failure == "" {
			_ = v.send(wire.AppendV1Res(nil, asked))
		} else {
			_ = v.send(wire.AppendV1ResError(nil, asked, failure))
		}
	}
	name := "relay:" + m.ID
	h, ok := v.take(m.ID)
	switch {
	case !ok:
		answer(fmt.Sprintf("%s: id=%.64s", unknownCandidate, m.ID))
	case h.via != nil:
		h.via.relayTo(v.p, name, h.remote, answer)
	default:
		if failure := v.p.ex.introduceV1(v.p, name, h.listing, func() { answer("") }); failure != "" {
			answer(failure)
		}
	}
	return nil
}

// introduceV1 sets up a relay to a candidate for an asker, or for the sibling
// that it is at, which knows the relay by the name given. agreed is called when the
// candidate has agreed.
func (ex *Exchange) introduceV1(asker *Peer, name string, l *listing, agreed func()) (failure string) {
	candidate, ok := l.peer.dialect.(*v1)
	if !ok {
		return unknownCandidate
	}
	id := newID()
	told := candidate.expect(func(json.RawMessage) error {
		agreed()
		return nil
	})
	r, limit := ex.newRelay(asker, l.peer, relayNames{name, "relay:" + id},
		wire.NewGuardV1(ex.limits.lineBytes()), func() { candidate.forget(told) })
	if limit != "" {
		ex.refused(limit, asker.RemoteAddress())
	}
	if r == nil {
		return "Peer has no room for another relay"
	}
	if err := candidate.send(wire.AppendV1Incoming(nil, told, id)); err != nil {
		r.close()
		return "Candidate is gone"
	}
	return ""
}

// The candidate's side.

func (v *v1) onIncoming(m *wire.V1) error {
	p, ex := v.p, v.p.ex
	negotiator, ok := ex.transports[transports.WebRTC].(transports.Negotiator)
	accepts := ok && ex.accepts(transports.WebRTC)
	if !p.reserveRelay() {
		ex.refused("relays-per-peer", p.RemoteAddress())
		return nil
	}
	n, err := newNested(p, "relay:"+m.ID)
	if err != nil {
		p.relays.Add(-1)
		return err
	}
	// The answer comes before the first byte in the relay.
	if err := v.send(wire.AppendV1Res(nil, m.Nonce)); err != nil {
		p.relays.Add(-1)
		return err
	}
	return ex.start(func() {
		defer p.relays.Add(-1)
		if !accepts {
			n.close()
			return
		}
		if err := n.begin(acceptingWebRTC); err != nil {
			n.close()
			return
		}
		ex.respond(introduction{by: p}, negotiator, n)
	})
}

// The asker's side.

func (v *v1) newConn(ctx context.Context) (*connected, error) {
	ex := v.p.ex
	negotiator, ok := ex.transports[transports.WebRTC].(transports.Negotiator)
	if !ok {
		return nil, fmt.Errorf("%w: generation 1 connects over webrtc only", ErrUnknownTransport)
	}
	args, err := v.askForPeers(ctx)
	if err != nil {
		return nil, err
	}
	candidates, err := wire.DecodeCandidates(args)
	if err != nil {
		return nil, fmt.Errorf("getpeers: %w", err)
	}
	candidates = slices.DeleteFunc(candidates, func(c wire.Candidate) bool {
		_, ok := candidateInfo(c.ConnectInfo)
		return !ok
	})
	if len(candidates) == 0 {
		return nil, ErrNoCandidates
	}
	chosen := candidates[rand.IntN(len(candidates))]
	n, err := v.relayTo(ctx, chosen.ID)
	if err != nil {
		return nil, err
	}
	defer n.close()
	if err := n.begin(acceptingNobody); err != nil {
		return nil, err
	}
	if err := n.greeted(ctx); err != nil {
		return nil, fmt.Errorf("handshake in relay: %w", err)
	}
	conn, err := negotiator.Negotiate(ctx, transports.Initiator, n)
	if err != nil {
		return nil, fmt.Errorf("negotiate webrtc: %w", err)
	}
	return &connected{conn: conn, transport: transports.WebRTC, protocol: V1}, nil
}

// relayTo asks for a relay to a candidate. The relay's first bytes may follow the
// answer at once, so the read loop opens this node's end of it.
func (v *v1) relayTo(ctx context.Context, id string) (*nested, error) {
	type result struct {
		nested *nested
		err    error
	}
	results := make(chan result, 1)
	// Whoever gave up waiting and whoever comes too late each look for the other.
	abandon := func() {
		select {
		case r := <-results:
			if r.nested != nil {
				r.nested.close()
			}
		default:
		}
	}
	nonce := v.expect(func(args json.RawMessage) error {
		if text, failed := wire.ResError(args); failed {
			results <- result{nil, fmt.Errorf("relay: peer says %.128q", text)}
			return nil
		}
		n, err := newNested(v.p, "relay:"+id)
		results <- result{n, err}
		if ctx.Err() != nil {
			abandon()
		}
		return nil
	})
	defer v.forget(nonce)
	if err := v.send(wire.AppendV1Relay(nil, nonce, id)); err != nil {
		return nil, err
	}
	select {
	case r := <-results:
		return r.nested, r.err
	case <-v.p.done:
		abandon()
		return nil, fmt.Errorf("asked peer: %w", v.p.Err())
	case <-ctx.Done():
		abandon()
		return nil, ctx.Err()
	}
}

// askForPeers sends getpeers and waits for the args of the answer.
func (v *v1) askForPeers(ctx context.Context) (json.RawMessage, error) {
	answers := make(chan json.RawMessage, 1)
	nonce := v.expect(func(args json.RawMessage) error {
		answers <- slices.Clone(args)
		return nil
	})
	defer v.forget(nonce)
	if err := v.send(wire.AppendV1GetPeers(nil, nonce, v.p.ex.id)); err != nil {
		return nil, err
	}
	select {
	case args := <-answers:
		return args, nil
	case <-v.p.done:
		return nil, fmt.Errorf("asked peer: %w", v.p.Err())
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
