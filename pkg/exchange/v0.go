package exchange

import (
	"encoding/json"
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

func (v *v0) announce(transport string, opts json.RawMessage) {
	v.send(wire.AppendAccept(nil, transport, opts))
}

func (v *v0) unannounce(transport string) { v.send(wire.AppendUnaccept(nil, transport)) }

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

// onIncoming takes part in a negotiation that another peer asked for. What is
// not accepted is ignored: the relay runs out of time.
func (v *v0) onIncoming(m *wire.V0) error {
	p, ex := v.p, v.p.ex
	negotiator, ok := ex.transports[m.Transport].(transports.Negotiator)
	if !ok || m.Nonce == "" || !ex.accepts(m.Transport) {
		return nil
	}
	release, ok := p.reserveNegotiation()
	if !ok {
		return nil
	}
	signals, err := newSignals(p, m.Nonce, m.Relayed)
	if err != nil {
		release()
		return err
	}
	from := introduction{p, m.Alias}
	return ex.start(func() {
		defer release()
		ex.respond(from, negotiator, signals)
	})
}

// ping asks for a sign of life.
func (p *Peer) ping() {
	if v, ok := p.dialect.(*v0); ok {
		v.send(wire.AppendPing(nil, newID()[:8]))
	}
}

// grant tells the other node how much more application data it may send.
func (p *Peer) grant(bytes int) { p.control.Send(wire.AppendCredit(nil, int64(bytes))) }
