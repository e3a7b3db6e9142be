package mux

import (
	"fmt"
	"io"
	"time"
)

// lastWords is how long a session that cannot write waits for more to read.
const lastWords = 5 * time.Second

// goMute is for a connection that takes nothing more, most likely because the
// other side is gone. What it said before it went is read all the same: the
// session ends when that has been received. The caller holds mu.
func (s *Session) goMute(err error) {
	if s.err != nil || s.mute != nil {
		return
	}
	s.mute = fmt.Errorf("write: %w", err)
	s.drop()
	s.queued = 0
	s.awaitLastWords()
	s.changed.Broadcast()
}

// awaitLastWords bounds the next read of a mute session. The caller holds mu.
func (s *Session) awaitLastWords() {
	if s.mute != nil {
		s.conn.SetReadDeadline(time.Now().Add(lastWords))
	}
}

// lastReason says why a session ends whose read loop ended with err: a mute
// session's other side either closed in good order, or its end was seen when
// writing.
func (s *Session) lastReason(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mute != nil && err != io.EOF {
		return s.mute
	}
	return err
}
