package webrtc

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/pion/ice/v2"
	"github.com/pion/sdp/v3"
	pion "github.com/pion/webrtc/v3"
)

// onRemoteCandidate applies a candidate that may be tried, or keeps it until there is
// a description that it can be applied to.
func (n *negotiation) onRemoteCandidate(line string) error {
	if !n.mayTry(line) {
		return nil
	}
	if !n.remote {
		n.early = append(n.early, line)
		return nil
	}
	return n.addCandidate(line)
}

// mayTry tells whether this node may send to a candidate, and counts it if so.
func (n *negotiation) mayTry(line string) bool {
	c, err := ice.UnmarshalCandidate(strings.TrimPrefix(line, candidatePrefix))
	if err == nil {
		addr, err := netip.ParseAddr(c.Address())
		// Others are no use with these settings.
		if err != nil || !c.NetworkType().IsUDP() {
			return false
		}
		allow := n.transport.cfg.AllowCandidate
		if allow != nil && !allow(addr.Unmap().WithZone(""), n.introducer) {
			return false
		}
	}
	// One that is wrong is an error when it is applied.
	if n.candidates == maxRemoteCandidates {
		return false
	}
	n.candidates++
	return true
}

// addCandidate applies a candidate.
func (n *negotiation) addCandidate(line string) error {
	if err := n.pc.AddICECandidate(pion.ICECandidateInit{Candidate: line}); err != nil {
		return fmt.Errorf("%w: add candidate: %w", ErrSignal, err)
	}
	if fields := strings.Fields(line); len(fields) >= 8 && fields[7] == "relay" {
		if n.relays == nil {
			n.relays = make(map[string]bool)
		}
		n.relays[fields[4]+" "+fields[5]] = true
	}
	return nil
}

const candidatePrefix = "candidate:"

// withoutCandidates takes out of a description the candidates that are in it, which
// are to be held to the same rules as those that come by themselves. pion's parser
// finds them, so that pion finds no more.
func withoutCandidates(text string) (rest string, candidates []string, err error) {
	var parsed sdp.SessionDescription
	if err := parsed.UnmarshalString(text); err != nil {
		return "", nil, err
	}
	for _, m := range parsed.MediaDescriptions {
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			if !a.IsICECandidate() {
				return false
			}
			candidates = append(candidates, candidatePrefix+a.Value)
			return true
		})
	}
	if len(candidates) == 0 {
		return text, nil, nil
	}
	raw, err := parsed.Marshal()
	if err != nil {
		return "", nil, err
	}
	return string(raw), candidates, nil
}
