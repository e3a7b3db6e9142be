package exchange

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

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
