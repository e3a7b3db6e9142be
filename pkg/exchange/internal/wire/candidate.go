package wire

import (
	"bytes"
	"math"
)

// maxCandidateBytes bounds an ICE candidate; real ones stay below 250.
const maxCandidateBytes = 1024

// validCandidate reports whether c is an ICE candidate in the grammar of RFC
// 8839 section 5.1, "candidate:" and what follows, and one that libwebrtc and
// Firefox can both read: an address family, transport or type that they do not
// know makes addIceCandidate, or setRemoteDescription, fail. Extensions that
// neither knows are allowed. c holds printable ASCII only.
func validCandidate(c []byte) bool {
	const prefix = "candidate:"
	return len(c) > len(prefix) && string(c[:len(prefix)]) == prefix && validCandidateValue(c[len(prefix):])
}

// validCandidateValue checks what follows "candidate:".
func validCandidateValue(c []byte) bool {
	if len(c) > maxCandidateBytes {
		return false
	}
	f := words{rest: c}
	foundation, component := f.next(), f.next()
	transport, priority := f.next(), f.next()
	address, port := f.next(), f.next()
	typ, kind := f.next(), f.next()
	switch {
	case len(foundation) == 0 || len(foundation) > 32 || !all(foundation, isICEChar),
		!isUint(component, 256),
		!isUint(priority, math.MaxUint32),
		!isHost(address),
		!isUint(port, math.MaxUint16),
		string(typ) != "typ":
		return false
	}
	switch string(kind) {
	case "host", "srflx", "prflx", "relay":
	default:
		return false
	}
	tcp := equalFold(transport, "tcp")
	if !tcp && !equalFold(transport, "udp") {
		return false
	}
	return validExtensions(f, tcp)
}

// validExtensions checks the name and value pairs that end a candidate.
func validExtensions(f words, tcp bool) bool {
	for {
		name := f.next()
		if name == nil {
			return true
		}
		value := f.next()
		if len(name) == 0 || len(value) == 0 {
			return false
		}
		ok := true
		switch string(name) {
		case "raddr":
			ok = isHost(value)
		case "rport", "network-id", "network-cost":
			ok = isUint(value, math.MaxUint16)
		case "generation":
			ok = isUint(value, math.MaxUint32)
		case "tcptype":
			switch string(value) {
			case "active", "passive", "so":
				ok = tcp
			default:
				ok = false
			}
		case "ufrag":
			ok = isICECredential(value, 4)
		}
		if !ok {
			return false
		}
	}
}

// words takes text apart at single spaces.
type words struct {
	rest []byte
	over bool
}

// next returns the next word, empty where two spaces meet and nil after the last.
func (w *words) next() []byte {
	if w.over {
		return nil
	}
	word, rest, more := bytes.Cut(w.rest, []byte{' '})
	w.rest, w.over = rest, !more
	return word[:len(word):len(word)]
}
