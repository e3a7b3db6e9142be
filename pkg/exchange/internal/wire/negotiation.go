package wire

// Bounds of what one side of a negotiation may send.
const (
	maxSignalLines      = 512 // Lines in all, those that are dropped too.
	maxSignalCandidates = 128 // Candidates passed on.
	maxHeldSignals      = 64  // Candidates that came before their description.
)

// negotiation follows one offer and one answer through a relay, and their
// candidates. It lets a side's candidates through only after its description: the
// mid in them must be the description's, since libwebrtc fails on any other.
type negotiation struct {
	sides   [2]negotiationSide
	bundled bool // The offer has a BUNDLE group.
}

type negotiationSide struct {
	described  bool // Its offer or answer was passed on.
	mid        mid  // The name of the section in it.
	lines      int
	candidates int
	held       []byte // Lines that wait for the description, each with LF.
	heldLines  int
}

// outcome is what a negotiation does with a line.
type outcome uint8

const (
	dropped   outcome = iota // Nothing was appended.
	passed                   // The line was appended.
	described                // The line was appended, and lines held may follow now.
	held                     // Nothing was appended: the line must be kept and tried again.
)

// append appends the signal in value, a valid JSON value, if it is side's turn
// to send it.
func (n *negotiation) append(side Side, dst, value []byte, buf *[]byte) ([]byte, outcome, error) {
	var s signal
	if err := s.read(value, buf); err != nil {
		return dst, dropped, err
	}
	self, other := &n.sides[side], &n.sides[1-side]
	switch s.kind {
	case SignalOffer:
		if side != FromAsker {
			return dst, dropped, ErrInvalidSignal
		}
	case SignalAnswer:
		if side != FromCandidate || !other.described {
			return dst, dropped, ErrInvalidSignal
		}
	case SignalCandidate:
		return n.appendCandidate(self, dst, &s)
	default:
		return dst, dropped, nil
	}
	if self.described {
		return dst, dropped, nil // A second one would be a new negotiation.
	}
	out, ok := s.append(dst)
	if !ok {
		return dst, dropped, ErrInvalidSignal
	}
	if s.kind == SignalAnswer && (s.desc.mid != other.mid || s.desc.bundled && !n.bundled) {
		return dst, dropped, ErrInvalidSignal
	}
	if s.kind == SignalOffer {
		n.bundled = s.desc.bundled
	}
	self.described, self.mid = true, s.desc.mid
	return out, described, nil
}

func (n *negotiation) appendCandidate(self *negotiationSide, dst []byte, s *signal) ([]byte, outcome, error) {
	if self.described {
		if len(s.mid) == 0 {
			s.mid = self.mid.bytes()
		} else if string(s.mid) != string(self.mid.bytes()) {
			return dst, dropped, ErrInvalidSignal
		}
		if self.candidates++; self.candidates > maxSignalCandidates {
			return dst, dropped, ErrTooManySignals
		}
	}
	out, ok := s.append(dst)
	if !ok {
		return dst, dropped, ErrInvalidSignal
	}
	if !self.described {
		return dst, held, nil
	}
	return out, passed, nil
}
