package webrtc

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// What a negotiation takes from the other node. A real one is an offer or an
// answer of about 600 bytes and fewer than twenty candidates of about 120.
const (
	maxSignalBytes    = 64 * 1024
	maxCandidateBytes = 1024
	maxSignals        = 256
	// maxRemoteCandidates is how many of them are tried: this node sends a few packets to
	// each. A machine may have more, which are left out.
	maxRemoteCandidates = 32
)

// Types of a description.
const (
	typeOffer  = "offer"
	typeAnswer = "answer"
)

// description is a signal with an offer or an answer. The order of the fields
// is simple-peer's.
type description struct {
	Type string `json:"type"`
	SDP  string `json:"sdp"`
}

// candidateSignal is a signal with a candidate, in simple-peer's order.
type candidateSignal struct {
	Candidate candidate `json:"candidate"`
}

type candidate struct {
	Candidate     string `json:"candidate"`
	SDPMLineIndex uint16 `json:"sdpMLineIndex"`
	SDPMid        string `json:"sdpMid"`
}

// remoteSignal is what the other node may send: either of the two above, with
// further keys that are ignored.
type remoteSignal struct {
	Type      string          `json:"type"`
	SDP       string          `json:"sdp"`
	Candidate json.RawMessage `json:"candidate"`
}

// encodeSignal gives the JSON that JSON.stringify gives, without HTML escapes.
func encodeSignal(signal any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(signal); err != nil {
		return nil, fmt.Errorf("encode signal: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decodeSignal reads a signal into either a description or the text of a
// candidate. Both are empty for a signal that says nothing that concerns us:
// the end of candidates, or an extension of a newer simple-peer.
func decodeSignal(raw json.RawMessage) (description, string, error) {
	if len(raw) > maxSignalBytes {
		return description{}, "", fmt.Errorf("%w: %d bytes, limit is %d", ErrSignal, len(raw), maxSignalBytes)
	}
	var s remoteSignal
	if err := json.Unmarshal(raw, &s); err != nil {
		return description{}, "", fmt.Errorf("%w: not a signal object", ErrSignal)
	}
	if s.SDP != "" || s.Type == typeOffer || s.Type == typeAnswer {
		if s.SDP == "" {
			return description{}, "", fmt.Errorf("%w: %s without a description", ErrSignal, s.Type)
		}
		return description{Type: s.Type, SDP: s.SDP}, "", nil
	}
	if len(s.Candidate) == 0 || string(s.Candidate) == "null" {
		return description{}, "", nil
	}
	var c struct {
		Candidate string `json:"candidate"`
	}
	if err := json.Unmarshal(s.Candidate, &c); err != nil {
		return description{}, "", fmt.Errorf("%w: candidate is not an object", ErrSignal)
	}
	if len(c.Candidate) > maxCandidateBytes {
		return description{}, "", fmt.Errorf("%w: candidate of %d bytes, limit is %d", ErrSignal, len(c.Candidate), maxCandidateBytes)
	}
	return description{}, c.Candidate, nil
}
