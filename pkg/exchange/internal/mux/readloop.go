package mux

import (
	"errors"
	"fmt"
	"io"
)

// reading is what the read loop works with.
type reading struct {
	decoder Decoder
	target  *Channel // of the frame being received, nil if its payload is skipped
	name    []byte   // of the open frame being received, if it came in pieces
	large   *buffer  // read into while much arrives
	paused  bool     // see Pause
	small   [idleReadBytes]byte
}

// errHandedOver says that another goroutine goes on reading.
var errHandedOver = errors.New("another goroutine reads")

// An idle connection waits in the read loop, and the stack of its goroutine is
// much of what it costs. To read through TLS and a websocket, and to write an
// answer, just fits into 4 KiB. What takes more, once, has the stack at 8 KiB ever
// after, so the loop is called from near the goroutine's start, what it calls is
// kept flat, and there is Pause.

// Pause has Run return ErrPaused after what was received until now, so that its
// caller can go on in a new goroutine. A Receiver calls it, after what needed a
// larger stack than what is to come.
func (s *Session) Pause() { s.paused = true }

// endReading follows the read loop, with what that returned.
func (s *Session) endReading(err error) {
	if err == errHandedOver {
		return
	}
	s.Close(s.lastReason(err))
	s.shrink()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reader = false
	s.changed.Broadcast()
}

// read is the read loop. It reads until the session ends or another goroutine
// takes over, and begins with what was received before.
func (s *Session) read(chunk []byte) error {
	var err error
	for {
		s.hold()
		if err := s.decoder.Feed(chunk, (*inbound)(s)); err != nil {
			return err
		}
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("read: %w", err)
		case s.decoder.Between():
			return io.EOF
		default:
			return fmt.Errorf("read: %w", io.ErrUnexpectedEOF)
		}
		into := s.resize(len(chunk))
		if !s.settle() {
			return errHandedOver
		}
		if s.paused {
			s.paused = false
			return ErrPaused
		}
		var n int
		n, err = s.conn.Read(into)
		chunk = into[:n]
	}
}

// resize returns what to read into after n bytes were read: the large buffer if
// there may be more at once, else the small one.
func (r *reading) resize(n int) []byte {
	switch {
	case r.large != nil && n < len(r.large.b):
		r.shrink()
	case r.large == nil && n >= len(r.small):
		r.large = readBuffers.Get().(*buffer)
	}
	if r.large != nil {
		return r.large.b
	}
	return r.small[:]
}

// shrink gives the large buffer back.
func (r *reading) shrink() {
	if r.large != nil {
		readBuffers.Put(r.large)
		r.large = nil
	}
}
