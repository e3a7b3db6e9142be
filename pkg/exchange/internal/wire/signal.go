package wire

import (
	"fmt"
)

// Kind is what a WebRTC signal says.
type Kind uint8

// The kinds of signals.
const (
	// SignalNothing means nothing to a published package and must not be passed
	// to one: the end of candidates, or a wish to negotiate again.
	SignalNothing Kind = iota
	SignalOffer
	SignalAnswer
	SignalCandidate
)

// CheckSignal says what line, one signal as simple-peer 6 makes and takes them,
// is about. It is an [ErrInvalidJSON] or an [ErrInvalidSignal] if a JavaScript
// node would destroy its WebRTC peer over it, which for a candidate also ends the
// connection to its seed.
func CheckSignal(line []byte) (Kind, error) {
	buf := scratch.Get().(*[]byte)
	defer putScratch(buf)
	out, kind, err := AppendSignal((*buf)[:0], line)
	*buf = out
	return kind, err
}

// AppendSignal appends line, one signal, in the form in which simple-peer 6
// writes it, without a line end, and returns what it is about. For
// [SignalNothing] and on an error, which is as for [CheckSignal], nothing is
// appended.
func AppendSignal(dst, line []byte) ([]byte, Kind, error) {
	value, ok := validate(line)
	if !ok {
		return dst, SignalNothing, fmt.Errorf("check signal: %w", ErrInvalidJSON)
	}
	buf := scratch.Get().(*[]byte)
	defer putScratch(buf)
	var s signal
	if err := s.read(value, buf); err != nil {
		return dst, SignalNothing, fmt.Errorf("check signal: %w", err)
	}
	out, ok := s.append(dst)
	if !ok {
		return dst, SignalNothing, fmt.Errorf("check %s: %w", s.kind, ErrInvalidSignal)
	}
	return out, s.kind, nil
}

// String names the kind for people.
func (k Kind) String() string {
	switch k {
	case SignalOffer:
		return "offer"
	case SignalAnswer:
		return "answer"
	case SignalCandidate:
		return "candidate"
	}
	return "nothing"
}

// signal is a signal taken out of its JSON.
type signal struct {
	kind Kind
	text []byte // The SDP, or the candidate. In the buffer given to read.
	mid  []byte // sdpMid of a candidate; empty if it goes by its index, 0.

	desc description // Of an offer or answer, after append.
}

// read takes value, a valid JSON value, apart. It follows what simple-peer's
// signal() looks at: whether sdp and candidate are truthy.
func (s *signal) read(value []byte, buf *[]byte) error {
	if !isObject(value) {
		return ErrInvalidSignal
	}
	var typ, sdp, candidate []byte
	var again bool
	m := membersOf(value)
	for {
		name, v, ok := m.field()
		if !ok {
			break
		}
		switch string(key(name)) {
		case "type":
			typ = v
		case "sdp":
			sdp = v
		case "candidate":
			candidate = v
		case "renegotiate", "transceiverRequest": // Of later simple-peers.
			again = true
		}
	}
	switch {
	case truthy(sdp):
		if truthy(candidate) || !isString(sdp) || !isString(typ) {
			return ErrInvalidSignal
		}
		switch string(key(typ)) {
		case "offer":
			s.kind = SignalOffer
		case "answer":
			s.kind = SignalAnswer
			s.desc.answer = true
		default:
			return ErrInvalidSignal
		}
		*buf = appendUnquoted((*buf)[:0], sdp)
		s.text = *buf
		return nil
	case truthy(candidate):
		return s.readCandidate(candidate, buf)
	case candidate != nil || again:
		return nil
	}
	return ErrInvalidSignal
}

func (s *signal) readCandidate(value []byte, buf *[]byte) error {
	if !isObject(value) {
		return ErrInvalidSignal
	}
	var text, index, name []byte
	m := membersOf(value)
	for {
		field, v, ok := m.field()
		if !ok {
			break
		}
		switch string(key(field)) {
		case "candidate":
			text = v
		case "sdpMLineIndex":
			index = v
		case "sdpMid":
			name = v
		}
	}
	if !isString(text) {
		return ErrInvalidSignal
	}
	if string(text) == `""` {
		return nil // The end of candidates.
	}
	if isNull(index) && isNull(name) {
		return ErrInvalidSignal
	}
	if n, ok := integer(index); !isNull(index) && (!ok || n != 0) {
		return ErrInvalidSignal
	}
	if !isNull(name) && !isString(name) {
		return ErrInvalidSignal
	}
	s.kind = SignalCandidate
	*buf = appendUnquoted((*buf)[:0], text)
	n := len(*buf)
	if !isNull(name) {
		*buf = appendUnquoted(*buf, name)
	}
	s.text, s.mid = (*buf)[:n], (*buf)[n:]
	if len(s.text) > 2 && string(s.text[:2]) == "a=" {
		s.text = s.text[2:] // Some stacks give the whole SDP line.
	}
	return nil
}

// append appends the signal as simple-peer writes it, and reports whether it is
// sound. On false, and if it says nothing, dst is returned as it was.
func (s *signal) append(dst []byte) ([]byte, bool) {
	out := dst
	switch s.kind {
	case SignalOffer, SignalAnswer:
		if s.kind == SignalOffer {
			out = append(out, `{"type":"offer","sdp":"`...)
		} else {
			out = append(out, `{"type":"answer","sdp":"`...)
		}
		var ok bool
		if out, ok = s.desc.appendSDP(out, s.text); !ok {
			return dst, false
		}
		return append(out, `"}`...), true
	case SignalCandidate:
		if !all(s.text, isPrintable) || !validCandidate(s.text) || len(s.mid) > 0 && (!isToken(s.mid) || len(s.mid) > maxMid) {
			return dst, false
		}
		out = append(out, `{"candidate":{"candidate":`...)
		out = appendQuoted(out, s.text)
		out = append(out, `,"sdpMLineIndex":0,"sdpMid":`...)
		out = appendQuoted(out, s.mid)
		return append(out, `}}`...), true
	}
	return dst, true
}
