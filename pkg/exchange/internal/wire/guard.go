package wire

import (
	"bytes"
	"fmt"
	"sync"
)

// Side tells the two ends of a relay apart.
type Side int

const (
	// FromAsker is the peer that asked for a peer. It makes the offer.
	FromAsker Side = iota
	// FromCandidate is the peer that was offered to it. It answers.
	FromCandidate
)

// String names the side for people.
func (s Side) String() string {
	if s == FromAsker {
		return "asker"
	}
	return "candidate"
}

// DefaultMaxSignal is how many bytes one signal in a relay may have unless the
// configuration says otherwise. Those that trickle candidates, as the published
// packages do, send a KiB; an SDP with a hundred candidates in it fits.
const DefaultMaxSignal = 16 << 10

// Guard checks what two peers say to each other through a relay, and makes it
// anew, so that nothing reaches a JavaScript node in a form that ends its process
// or its connection to the node in the middle. What the published packages send
// to each other comes out byte for byte as it went in.
//
// One danger is left, because it shows in no message: simple-peer throws on any
// signal that arrives after it was destroyed, and a peer can destroy the one it
// is connected to and then send one more sound candidate. A relay should
// therefore be ended as soon as either side ends it, and not live long.
//
// A Guard may be used from several goroutines.
type Guard struct {
	// Static after construction.
	max       int
	relayable bool // See AllowRelayed.

	mu sync.Mutex
	// Guarded by mu.
	negotiation negotiation
	lines       [2]Lines // Generation 0.
	nested      *nested  // Generation 1, else nil.
	relayed     [2]bool  // Sides that sent RelayedSignal.
	err         error    // First error; nothing is forwarded after it.
}

// NewGuardV0 returns a guard for the relay of a generation 0 connection, which
// carries one JSON signal a line. maxSignalBytes bounds a line; zero means
// [DefaultMaxSignal].
func NewGuardV0(maxSignalBytes int) *Guard {
	if maxSignalBytes <= 0 {
		maxSignalBytes = DefaultMaxSignal
	}
	g := &Guard{max: maxSignalBytes}
	for i := range g.lines {
		g.lines[i].Max = maxSignalBytes
	}
	return g
}

// NewGuardV1 returns a guard for the relay of a generation 1 connection to a
// candidate whose connectInfo has pxp, which carries a whole connection of its
// own: the magic, multiplex frames, and on their channel "pxp" control messages.
// maxSignalBytes bounds a control message; zero means [DefaultMaxSignal].
func NewGuardV1(maxSignalBytes int) *Guard {
	g := NewGuardV0(maxSignalBytes)
	g.nested = newNested(g.max)
	return g
}

// Forward appends to dst what may be passed on of chunk, which came from side,
// and returns the extended buffer. It does not keep chunk. How the stream is cut
// into chunks makes no difference to what comes out in the end; a signal that is
// not complete yet is kept back.
//
// On an error the relay must be ended, and side is to blame. What was appended
// then is sound and may still be passed on. The error wraps one of
// [ErrInvalidJSON], [ErrInvalidMessage], [ErrInvalidSignal],
// [ErrTooManySignals], [ErrMessageTooLarge] and [ErrMalformed]; every later call
// returns it again.
func (g *Guard) Forward(side Side, dst, chunk []byte) (out []byte, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return dst, g.err
	}
	if g.nested != nil {
		dst, err = g.forwardNested(side, dst, chunk)
	} else {
		dst, err = g.forwardLines(side, dst, chunk)
	}
	if err != nil {
		g.err = fmt.Errorf("relay from %s: %w", side, err)
	}
	return dst, g.err
}

// Held is how many bytes of memory are held for what side has sent: half a line,
// candidates that wait for their description, and what of a hello is remembered.
// It is a few times the length of a line at most.
func (g *Guard) Held(side Side) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.lines[side].held() + cap(g.negotiation.sides[side].held)
	if g.nested != nil {
		n += g.nested.sides[side].heldBytes()
	}
	return n
}

// forwardLines forwards the signals of generation 0.
func (g *Guard) forwardLines(side Side, dst, chunk []byte) ([]byte, error) {
	lines := &g.lines[side]
	for len(chunk) > 0 {
		line, rest, err := lines.next(chunk)
		if err == nil && len(line) > 0 {
			dst, err = g.forwardLine(side, dst, line)
		}
		if err != nil {
			lines.release()
			return dst, err
		}
		chunk = rest
	}
	lines.settle()
	return dst, nil
}

// forwardLine forwards one control message, and after a description those that
// waited for it.
func (g *Guard) forwardLine(side Side, dst, line []byte) ([]byte, error) {
	self := &g.negotiation.sides[side]
	if self.lines++; self.lines > maxSignalLines {
		return dst, ErrTooManySignals
	}
	if dst, ok, err := g.appendRelayed(side, dst, line); ok || err != nil {
		return dst, err
	}
	dst, what, err := g.appendLine(side, dst, line)
	if err != nil {
		return dst, err
	}
	switch what {
	case held:
		if self.heldLines++; self.heldLines > maxHeldSignals || len(self.held)+len(line) >= g.max {
			return dst, ErrTooManySignals
		}
		self.held = append(append(self.held, line...), '\n')
	case described:
		waiting := self.held
		self.held = nil
		for len(waiting) > 0 && err == nil {
			line, waiting, _ = bytes.Cut(waiting, []byte{'\n'})
			dst, _, err = g.appendLine(side, dst, line)
		}
	}
	return dst, err
}

// appendLine appends one control message with its line end, or nothing.
func (g *Guard) appendLine(side Side, dst, line []byte) ([]byte, outcome, error) {
	value, ok := validate(line)
	if !ok {
		return dst, dropped, ErrInvalidJSON
	}
	buf := scratch.Get().(*[]byte)
	defer putScratch(buf)
	if g.nested != nil {
		return g.appendNested(side, dst, value, buf)
	}
	out, what, err := g.negotiation.append(side, dst, value, buf)
	if err != nil || what != passed && what != described {
		return dst, what, err
	}
	if len(out)-len(dst) > g.max {
		return dst, dropped, ErrMessageTooLarge // It grew: CRs were missing.
	}
	return append(out, '\n'), what, nil
}
