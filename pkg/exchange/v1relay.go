package exchange

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

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
		v.p.ex.introduceV1(v.p, name, h.listing, answer)
	}
	return nil
}

// introduceV1 sets up a relay to a candidate for an asker, or for the sibling
// that it is at, which knows the relay by the name given. answer is called once: with
// nothing when the candidate has agreed, or with the reason why it will not, at the
// latest when the relay's time is over.
func (ex *Exchange) introduceV1(asker *Peer, name string, l *listing, answer func(failure string)) {
	candidate, ok := l.peer.dialect.(*v1)
	if !ok {
		answer(unknownCandidate)
		return
	}
	id := newID()
	told := candidate.expect(func(json.RawMessage) error {
		answer("")
		return nil
	})
	ended := func() {
		if candidate.forget(told) {
			answer(noRelay)
		}
	}
	r, limit := ex.newRelay(asker, l.peer, relayNames{name, "relay:" + id}, wire.NewGuardV1(ex.limits.signalBytes()), ended)
	if limit != "" {
		ex.refused(limit, asker.RemoteAddress())
	}
	if r == nil {
		return
	}
	if err := candidate.send(wire.AppendV1Incoming(nil, told, id)); err != nil {
		r.close()
	}
}

func (v *v1) onIncoming(m *wire.V1) error {
	p, ex := v.p, v.p.ex
	negotiator, ok := ex.transports[transports.WebRTC].(transports.Negotiator)
	accepts := ok && ex.accepts(transports.WebRTC)
	release, ok := p.reserveNegotiation()
	if !ok {
		return nil
	}
	n, err := newNested(p, "relay:"+m.ID)
	if err != nil {
		release()
		return err
	}
	// The answer comes before the first byte in the relay.
	if err := v.send(wire.AppendV1Res(nil, m.Nonce)); err != nil {
		release()
		return err
	}
	return ex.start(func() {
		defer release()
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
