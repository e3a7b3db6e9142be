package wire

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Limits of what a decoded message of generation 1 holds.
const (
	maxNonceV1     = 64   // Bytes of a nonce as it is written.
	maxNetworks    = 32   // Networks in a hello.
	maxCandidates  = 256  // Candidates taken from one answer.
	maxConnectInfo = 1024 // Bytes of a connectInfo; a longer one counts as none.
)

// DecodeV1 decodes line, a control message of generation 1 without its line end,
// into m and overwrites all of m. Everything in m is a copy, so line may be
// reused. A JavaScript node crashes on what becomes V1Unknown here. The error is
// [ErrInvalidJSON], or [ErrInvalidMessage] for a known command with a nonce or
// arguments of a wrong type or size.
func DecodeV1(line []byte, m *V1) error {
	*m = V1{}
	value, ok := validate(line)
	if !ok {
		return fmt.Errorf("decode message: %w", ErrInvalidJSON)
	}
	p, ok := splitV1(value)
	if !ok || p.command == V1Unknown {
		return nil
	}
	m.Command = p.command
	if ok = validNonce(p.nonce); ok {
		m.Nonce = compactCopy(p.nonce)
		ok = m.setArgs(p.args)
	}
	if !ok {
		*m = V1{}
		return fmt.Errorf("decode %s: %w", p.command, ErrInvalidMessage)
	}
	return nil
}

// partsV1 is a message of generation 1 whose arguments were not looked at yet.
type partsV1 struct {
	command     CommandV1
	nonce, args []byte
}

// splitV1 returns the parts of value, and whether it is an array of three.
func splitV1(value []byte) (p partsV1, ok bool) {
	if !isArray(value) {
		return p, false
	}
	m := membersOf(value)
	command, ok1 := m.element()
	nonce, ok2 := m.element()
	args, ok3 := m.element()
	if _, more := m.element(); !ok1 || !ok2 || !ok3 || more {
		return p, false
	}
	if isString(command) {
		p.command = lookupV1(key(command))
	}
	p.nonce, p.args = nonce, args
	return p, true
}

func lookupV1(name []byte) CommandV1 {
	for c := V1Hello; c <= V1Res; c++ {
		if commandsV1[c] == string(name) {
			return c
		}
	}
	return V1Unknown
}

// validNonce reports whether raw is a nonce that may be answered. The published
// package emits an event of the nonce's name for every res, so that "error", and
// the names of the commands themselves, crash it (lib/pxp.js).
func validNonce(raw []byte) bool {
	if len(raw) > maxNonceV1 {
		return false
	}
	if isNumber(raw) {
		return isInteger(raw)
	}
	if !isString(raw) || !utf8.Valid(raw) {
		return false
	}
	name := key(raw)
	return string(name) != "error" && lookupV1(name) == V1Unknown
}

func (m *V1) setArgs(args []byte) bool {
	var ok bool
	switch m.Command {
	case V1Hello:
		return m.setHello(args)
	case V1GetPeers, V1Connect:
		m.Network, ok = text(args, maxNetworkID)
		return ok
	case V1Relay, V1Incoming:
		if !isArray(args) {
			return false
		}
		list := membersOf(args)
		id, _ := list.element()
		m.ID, ok = text(id, maxID)
		return ok
	case V1Upgrade:
		return m.setUpgrade(args)
	}
	m.Args = compactCopy(args)
	return true
}

func (m *V1) setHello(args []byte) bool {
	if !isArray(args) {
		return false
	}
	list := membersOf(args)
	number, _ := list.element()
	connectInfo, _ := list.element()
	networks, _ := list.element()
	if !isNumber(number) || !isArray(networks) {
		return false
	}
	m.Version = version(number)
	m.ConnectInfo = cloneConnectInfo(connectInfo)
	m.Networks = texts(networks, maxNetworks, maxNetworkID)
	return true
}

// cloneConnectInfo returns nil for what must not be handed to another node.
func cloneConnectInfo(raw []byte) json.RawMessage {
	if !isObject(raw) || len(raw) > maxConnectInfo {
		return nil
	}
	if raw = compactCopy(raw); len(raw) > maxConnectInfo {
		return nil
	}
	return raw
}

func (m *V1) setUpgrade(args []byte) bool {
	transport, signal, ok := splitUpgrade(args)
	if !ok {
		return false
	}
	if m.Transport, ok = text(transport, maxTransportName); !ok {
		return false
	}
	m.Signal = compactCopy(signal)
	return true
}

// splitUpgrade returns the two members of an upgrade's arguments.
func splitUpgrade(args []byte) (transport, signal []byte, ok bool) {
	if !isObject(args) {
		return nil, nil, false
	}
	list := membersOf(args)
	for {
		name, value, more := list.field()
		if !more {
			return transport, signal, transport != nil && signal != nil
		}
		switch string(key(name)) {
		case "transport":
			transport = value
		case "signal":
			signal = value
		}
	}
}

// DecodeCandidates decodes the arguments of the res to a getpeers. Candidates
// that cannot be asked for, because a field is missing or has a wrong type, are
// left out, and so is what exceeds 256. The error is [ErrInvalidMessage] if args
// is no such answer; check [ResError] first.
func DecodeCandidates(args json.RawMessage) ([]Candidate, error) {
	var list []byte
	if args, ok := validate(args); ok && isArray(args) {
		m := membersOf(args)
		m.element()
		list, _ = m.element()
	}
	if !isArray(list) {
		return nil, fmt.Errorf("decode candidates: %w", ErrInvalidMessage)
	}
	var candidates []Candidate
	m := membersOf(list)
	for len(candidates) < maxCandidates {
		value, ok := m.element()
		if !ok {
			break
		}
		if c, ok := decodeCandidate(value); ok {
			candidates = append(candidates, c)
		}
	}
	return candidates, nil
}

func decodeCandidate(raw []byte) (c Candidate, ok bool) {
	if !isObject(raw) {
		return c, false
	}
	m := membersOf(raw)
	for {
		name, value, more := m.field()
		if !more {
			return c, c.ID != "" && c.Network != "" && c.ConnectInfo != nil
		}
		switch string(key(name)) {
		case "id":
			c.ID, _ = text(value, maxID)
		case "network":
			c.Network, _ = text(value, maxNetworkID)
		case "connectInfo":
			c.ConnectInfo = cloneConnectInfo(value)
		}
	}
}

// ResError returns the error text of a res, and whether it is an error: the
// arguments are the text itself (relay, connect) or an array that begins with it
// (getpeers). The text is at most 256 bytes of what was sent.
func ResError(args json.RawMessage) (string, bool) {
	value, ok := validate(args)
	if !ok {
		return "invalid answer", true
	}
	if isArray(value) {
		m := membersOf(value)
		if value, ok = m.element(); !ok {
			return "", false
		}
	}
	if !truthy(value) {
		return "", false
	}
	s := unquote(value)
	if s == "" {
		return "unspecified error", true
	}
	return s[:min(len(s), 256)], true
}
