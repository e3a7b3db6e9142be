package exchange

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

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
