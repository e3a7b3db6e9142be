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
	small   [idleReadBytes]byte
}

// errHandedOver says that another goroutine goes on reading.
var errHandedOver = errors.New("another goroutine reads")

// readLoop reads until the session ends or another goroutine takes over. It
// begins with what was received before.
func (s *Session) readLoop(received []byte) {
	err := s.read(received)
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
