package wire

import (
	"encoding/json"
	"fmt"
	"slices"
)

// appendNested appends one control message of a connection inside a relay, as a
// frame on the side's channel pxp, or nothing. JavaScript crashes on a message of
// a command or shape that it does not know, so an error there ends the relay.
func (g *Guard) appendNested(side Side, dst, value []byte, buf *[]byte) ([]byte, outcome, error) {
	m, ok := splitV1(value)
	if !ok || m.command == V1Unknown || !validNonce(m.nonce) {
		return dst, dropped, ErrInvalidMessage
	}
	n, self := g.nested, &g.nested.sides[side]
	if m.command != V1Hello && !self.hello {
		return dst, dropped, fmt.Errorf("%s before hello: %w", m.command, ErrInvalidMessage)
	}
	start := len(dst)
	var (
		out  []byte
		what outcome
		err  error
	)
	switch m.command {
	case V1Hello:
		out, what, err = n.hello(self, dst, m)
	case V1Upgrade:
		out, what, err = g.upgrade(side, dst, m, buf)
	case V1GetPeers, V1Connect:
		out, what, err = n.request(side, dst, m)
	case V1Res:
		out, what, err = n.response(side, dst, m)
	default:
		// A relay inside the relay: the answers that could lead to one are empty.
		err = fmt.Errorf("%s in a relay: %w", m.command, ErrInvalidMessage)
	}
	if err != nil || what == dropped || what == held {
		return dst, what, err
	}
	if len(out)-start > g.max+1 { // One more for the LF.
		return dst, dropped, ErrMessageTooLarge
	}
	return insertFrameHeader(out, start, self.control(), frameData), what, nil
}

// control returns the id of the side's channel pxp. There is one: a control
// message came on it.
func (s *nestedSide) control() uint64 {
	i := slices.IndexFunc(s.channels, func(c nestedChannel) bool { return c.name == nestedControl })
	return s.channels[i].id
}

// hello passes the first hello on. One without a connectInfo gets an empty one,
// because JavaScript hands it to others as a candidate, and null crashes them.
func (n *nested) hello(self *nestedSide, dst []byte, m partsV1) ([]byte, outcome, error) {
	if self.hello {
		return dst, dropped, nil // JavaScript ignores a second one.
	}
	var msg V1
	if !msg.setHello(m.args) || msg.Version != 1 || len(msg.Networks) == 0 {
		return dst, dropped, fmt.Errorf("hello: %w", ErrInvalidMessage)
	}
	if msg.ConnectInfo == nil {
		msg.ConnectInfo = json.RawMessage("{}")
	}
	self.hello, self.networks = true, msg.Networks
	return AppendV1Hello(dst, appendCompact(nil, m.nonce), msg.ConnectInfo, msg.Networks), passed, nil
}

// upgrade passes a signal on.
func (g *Guard) upgrade(side Side, dst []byte, m partsV1, buf *[]byte) ([]byte, outcome, error) {
	transport, signal, ok := splitUpgrade(m.args)
	if !ok || !isString(transport) || string(key(transport)) != "webrtc" {
		return dst, dropped, fmt.Errorf("upgrade: %w", ErrInvalidMessage)
	}
	dst = append(dst, `["upgrade",`...)
	dst = appendCompact(dst, m.nonce)
	dst = append(dst, `,{"transport":"webrtc","signal":`...)
	dst, what, err := g.negotiation.append(side, dst, signal, buf)
	return append(dst, "}]\n"...), what, err
}

// request passes a getpeers or connect on, for a network that the other side has
// announced: on any other it closes the connection.
func (n *nested) request(side Side, dst []byte, m partsV1) ([]byte, outcome, error) {
	self, other := &n.sides[side], &n.sides[1-side]
	network, ok := text(m.args, maxNetworkID)
	if !ok || !slices.Contains(other.networks, network) {
		return dst, dropped, fmt.Errorf("%s: unknown network: %w", m.command, ErrInvalidMessage)
	}
	if len(self.requests) == maxNestedRequests {
		return dst, dropped, ErrTooManySignals
	}
	nonce := appendCompact(nil, m.nonce)
	if m.command == V1Connect {
		if n.connected(network) {
			return dst, dropped, fmt.Errorf("connect twice: %w", ErrInvalidMessage)
		}
		n.connects = append(n.connects, network)
		dst = AppendV1Connect(dst, nonce, network)
	} else {
		dst = AppendV1GetPeers(dst, nonce, network)
	}
	self.requests = append(self.requests, nestedRequest{m.command, nonceName(m.nonce)})
	return dst, passed, nil
}

// response passes a res on if it answers a request. Any other is dropped: one to
// an upgrade crashes JavaScript.
func (n *nested) response(side Side, dst []byte, m partsV1) ([]byte, outcome, error) {
	other := &n.sides[1-side]
	name := nonceName(m.nonce)
	i := slices.IndexFunc(other.requests, func(r nestedRequest) bool { return r.nonce == name })
	if i < 0 {
		return dst, dropped, nil
	}
	command := other.requests[i].command
	other.requests = slices.Delete(other.requests, i, i+1)

	nonce := appendCompact(nil, m.nonce)
	if command == V1Connect {
		if text, failed := ResError(m.args); failed {
			return AppendV1ResError(dst, nonce, text), passed, nil
		}
		return AppendV1Res(dst, nonce), passed, nil
	}
	if !isArray(m.args) {
		return dst, dropped, fmt.Errorf("res to getpeers: %w", ErrInvalidMessage)
	}
	if text, failed := ResError(m.args); failed {
		return AppendV1GetPeersError(dst, nonce, text), passed, nil
	}
	return AppendV1Candidates(dst, nonce, nil), passed, nil
}

// nonceName returns the name of the event that JavaScript emits for a nonce.
func nonceName(raw []byte) string {
	if isString(raw) {
		return string(key(raw))
	}
	return string(raw)
}
