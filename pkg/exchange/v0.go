package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"golang.org/x/time/rate"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// v0 speaks generation 0 of the protocol on one connection (npm 0.4.1,
// src/peer.js).
type v0 struct {
	// Static after construction.
	p *Peer

	// Owned by the read loop.
	helloSeen, helloAckSeen bool
	ready                   bool          // both, and what else there is to show
	greeted                 announcements // what our hello said
	getPeers                *rate.Limiter // lazily
	meshing                 *meshProof    // of a connection that is to be a link; nil if it is none

	mu sync.Mutex
	// Guarded by mu.
	pending map[string]chan answer // by reqId; nil once the peer ended
}

func newV0(p *Peer) *v0 {
	return &v0{p: p}
}

// send queues one control message.
func (v *v0) send(message []byte) error { return v.p.control.Send(message) }

func (v *v0) begin() error {
	ex := v.p.ex
	ex.mu.Lock()
	v.greeted = ex.announced
	ex.mu.Unlock()
	hello := wire.Hello{
		ID:         ex.id,
		Accepts:    v.greeted,
		Transports: ex.transportNames,
		Ext: &wire.Ext{
			Agent:     ex.config.Agent,
			Instance:  ex.instance,
			Features:  ex.features,
			Window:    v.p.window(),
			Token:     v.p.token,
			Addresses: ex.config.Addresses,
		},
	}
	if v.p.links {
		v.meshing = &meshProof{nonces: [2]string{newID(), ""}}
		hello.Ext.Mesh = v.meshing.nonces[0]
	}
	hello.ReceiverAddress = v.p.RemoteAddress()
	v.p.token = ""
	return v.send(wire.AppendHello(nil, &hello))
}

func (v *v0) line(line []byte) error {
	var m wire.V0
	if err := wire.DecodeV0(line, &m); err != nil {
		return err
	}
	if m.Command != wire.V0Credit {
		defer v.p.paced()
	}
	switch m.Command {
	case wire.V0Hello:
		return v.onHello(m.Hello)
	case wire.V0HelloAck:
		return v.onHelloAck()
	case wire.V0Refused:
		return v.onRefused(&m)
	case wire.V0Mesh:
		return v.onMesh(m.Mesh)
	}
	// As with npm, what comes before the handshake is complete is lost.
	if !v.ready {
		return nil
	}
	switch m.Command {
	case wire.V0GetPeer:
		return v.onGetPeer(&m)
	case wire.V0Incoming:
		return v.onIncoming(&m)
	case wire.V0Accept:
		v.p.list(m.Transport, m.Opts)
	case wire.V0Unaccept:
		v.p.unlist(m.Transport)
	case wire.V0Ping:
		return v.send(wire.AppendPong(nil, m.Token))
	case wire.V0Pong:
		if l := v.p.sibling.Load(); l != nil {
			l.suspect.Store(0)
		}
	case wire.V0GoAway:
		if v.p.knows(featureGoAway) {
			v.p.onGoAway(m.Addresses, m.Within)
		}
	case wire.V0Credit:
		return v.p.stream.addCredit(m.Bytes)
	case wire.V0ICE:
		v.p.learnICE(&m)
	default:
		v.onAnswer(&m)
	}
	return nil
}

func (v *v0) onHello(h *wire.Hello) error {
	p := v.p
	if v.helloSeen {
		return fmt.Errorf("%w: second hello", ErrProtocol)
	}
	v.helloSeen = true
	about := readHello(h, v.p.ex.features)
	if p.wantsLink(h) {
		p.links = true
	}
	challenged, err := false, v.check(h, about)
	if err == nil {
		challenged, err = v.meets(h)
	}
	if err != nil {
		// Our hello tells the other node as much, but for this.
		if errors.Is(err, ErrUnauthorized) && about.has(featureRefusal) {
			v.send(wire.AppendRefused(nil, reasonUnauthorized))
		}
		p.dismiss(err)
		return nil
	}
	for _, transport := range slices.Sorted(maps.Keys(h.Accepts)) {
		p.list(transport, h.Accepts[transport])
	}
	if h.Ext != nil && about.has(featureAddresses) {
		p.listPublic(h.Ext.Addresses)
	}
	p.stream.open(about.has(featureWindow), about.window)
	if challenged && !p.outgoing {
		return nil // its proof is what is acknowledged
	}
	if err := v.send(wire.AppendHelloAck(nil)); err != nil {
		return err
	}
	return v.maybeReady()
}

// check tells whether a node that says hello can be a peer.
func (v *v0) check(h *wire.Hello, about hello) error {
	switch {
	case h.ID != v.p.ex.id:
		return fmt.Errorf("%w: it is in %.64q, this node in %q", ErrNetworkMismatch, h.ID, v.p.ex.id)
	case h.Version != 0:
		return fmt.Errorf("%w: it speaks version %d", ErrVersionMismatch, h.Version)
	case v.p.transport == Relay && !about.has(featureWindow):
		return fmt.Errorf("%w: data through a relay needs a window", ErrProtocol)
	}
	token := ""
	if h.Ext != nil {
		token = h.Ext.Token
	}
	if !v.p.links { // siblings have a secret of their own to show
		if err := v.p.admit(token); err != nil {
			return err
		}
	}
	return v.p.ex.identify(v.p, about)
}

// onRefused learns why the other node is about to hang up. What it does not say
// this way, or to a node that it let in, means nothing.
func (v *v0) onRefused(m *wire.V0) error {
	if v.p.outgoing && !v.helloAckSeen && m.Reason == reasonUnauthorized {
		return ErrUnauthorized
	}
	return nil
}

func (v *v0) onHelloAck() error {
	if v.helloAckSeen {
		return fmt.Errorf("%w: second helloack", ErrProtocol)
	}
	v.helloAckSeen = true
	return v.maybeReady()
}

func (v *v0) maybeReady() error {
	if !v.helloSeen || !v.helloAckSeen || v.meshing != nil && !v.meshing.proved {
		return nil
	}
	if err := v.p.becomeReady(); err != nil {
		return err
	}
	v.ready = true
	v.p.handOutICE()
	// Whoever calls Accept or Unaccept tells the peers that are ready by then, so
	// what has changed since our hello is told here.
	ex := v.p.ex
	ex.mu.Lock()
	now := ex.announced
	ex.mu.Unlock()
	for transport := range v.greeted {
		if _, still := now[transport]; !still {
			v.unannounce(transport)
		}
	}
	for transport, opts := range now {
		if _, known := v.greeted[transport]; !known {
			v.announce(transport, opts)
		}
	}
	v.greeted = nil
	return nil
}

func (v *v0) announce(transport string, opts json.RawMessage) {
	v.send(wire.AppendAccept(nil, transport, opts))
}

func (v *v0) unannounce(transport string) { v.send(wire.AppendUnaccept(nil, transport)) }

// The asked side.

func (v *v0) onGetPeer(m *wire.V0) error {
	p, ex := v.p, v.p.ex
	if m.ReqID == "" {
		return nil
	}
	if !p.mayAsk(&v.getPeers) {
		err := v.send(wire.AppendNoPeer(nil, m.ReqID))
		p.holdUp()
		return err
	}
	(&getPeer{v: v, reqID: m.ReqID, asking: ex.asks(p, m.Exclude)}).begin()
	return nil
}

// The candidate's side.

// onIncoming takes part in a negotiation that another peer asked for. What is
// not accepted is ignored: the relay runs out of time.
func (v *v0) onIncoming(m *wire.V0) error {
	p, ex := v.p, v.p.ex
	negotiator, ok := ex.transports[m.Transport].(transports.Negotiator)
	if !ok || m.Nonce == "" || !ex.accepts(m.Transport) {
		return nil
	}
	if !p.reserveRelay() {
		ex.refused("relays-per-peer", p.RemoteAddress())
		return nil
	}
	signals, err := newSignals(p, m.Nonce, m.Relayed)
	if err != nil {
		p.relays.Add(-1)
		return err
	}
	from := introduction{p, m.Alias}
	return ex.start(func() {
		defer p.relays.Add(-1)
		ex.respond(from, negotiator, signals)
	})
}

// The asker's side.

// answer is what a peer said to getPeer. For a negotiated candidate the relay is
// open already, since its first bytes may follow the answer at once.
type answer struct {
	wire.Answer
	signals *signals
}

func (v *v0) newConn(ctx context.Context) (*connected, error) {
	reqID := newID()
	answers := make(chan answer, 1)
	if !v.expect(reqID, answers) {
		return nil, v.p.Err()
	}
	defer v.forget(reqID)
	var exclude []string
	if v.p.knows(featureExclude) {
		exclude = v.p.ex.connectedNames(maxExcluded)
	}
	if err := v.send(wire.AppendGetPeer(nil, reqID, exclude)); err != nil {
		return nil, err
	}
	select {
	case a := <-answers:
		return v.follow(ctx, a)
	case <-v.p.done:
		return nil, fmt.Errorf("asked peer: %w", orEOF(v.p.Err()))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// maxExcluded is how many instances and aliases a getPeer names: about 2 KiB of them.
const maxExcluded = 64

func (v *v0) expect(reqID string, answers chan answer) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.p.isClosed() {
		return false
	}
	if v.pending == nil {
		v.pending = make(map[string]chan answer)
	}
	v.pending[reqID] = answers
	return true
}

// forget ends a request. An answer that was not followed takes its relay along.
func (v *v0) forget(reqID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	answers := v.pending[reqID]
	delete(v.pending, reqID)
	select {
	case a := <-answers:
		a.close()
	default:
	}
}

// onAnswer takes any message with an unknown command: an answer's command is the
// id of the request. A second answer finds no request any more.
func (v *v0) onAnswer(m *wire.V0) {
	v.mu.Lock()
	defer v.mu.Unlock()
	answers := v.pending[m.Name]
	if answers == nil || len(answers) > 0 {
		return
	}
	a := answer{Answer: wire.Answer{
		Transport: m.Transport, Address: m.Address, Nonce: m.Nonce, Opts: slices.Clone(m.Opts), Alias: m.Alias,
	}}
	_, negotiated := v.p.ex.transports[m.Transport].(transports.Negotiator)
	if negotiated && m.Nonce != "" {
		signals, err := newSignals(v.p, m.Nonce, m.Relayed)
		if err == nil {
			a.signals = signals
		}
	}
	answers <- a
}

func (a answer) close() {
	if a.signals != nil {
		a.signals.close()
	}
}

// follow connects to whom an answer names.
func (v *v0) follow(ctx context.Context, a answer) (*connected, error) {
	defer a.close()
	if a.Transport == "" || a.Address == "" {
		return nil, ErrNoCandidates
	}
	t, ok := v.p.ex.transports[a.Transport]
	if !ok {
		return nil, fmt.Errorf("%w: peer offered %.64q", ErrUnknownTransport, a.Transport)
	}
	if negotiator, ok := t.(transports.Negotiator); ok {
		if a.signals == nil {
			return nil, fmt.Errorf("%w: no relay for the offered candidate", ErrProtocol)
		}
		conn, transport, err := a.signals.negotiate(ctx, negotiator, transports.Initiator)
		if err != nil {
			return nil, fmt.Errorf("negotiate %s: %w", a.Transport, err)
		}
		return &connected{conn: conn, transport: transport, protocol: V0, alias: a.Alias}, nil
	}
	return v.p.ex.dialOffer(ctx, v.p, a.Answer)
}

// ping asks for a sign of life.
func (p *Peer) ping() {
	if v, ok := p.dialect.(*v0); ok {
		v.send(wire.AppendPing(nil, newID()[:8]))
	}
}

// grant tells the other node how much more application data it may send.
func (p *Peer) grant(bytes int) { p.control.Send(wire.AppendCredit(nil, int64(bytes))) }

func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}
