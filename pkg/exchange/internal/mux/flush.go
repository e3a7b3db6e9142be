package mux

import "time"

// kick starts the flusher if there is something to write, nobody writes, and
// the read loop is not about to. The caller holds mu.
func (s *Session) kick() {
	if s.writing || s.holding || s.err != nil || !s.pending() {
		return
	}
	s.writing = true
	s.active++
	if s.flusher == nil {
		s.flusher = s.flush
	}
	go s.flusher()
}

// flush is the flusher: it writes until nothing is left to write.
func (s *Session) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writePending()
	s.inactive()
}

// writePending writes until nothing is left to write; the read loop writes only
// what is queued. The caller holds mu, and has set writing, which is cleared at
// the end.
func (s *Session) writePending() {
	for s.err == nil && (s.queue != nil || !s.inline && s.pending()) {
		if err := s.writeNext(); err != nil {
			s.goMute(err)
		}
		s.changed.Broadcast()
	}
	s.writing = false
	s.changed.Broadcast()
}

// writeNext writes what is first in order.
func (s *Session) writeNext() error {
	switch {
	case s.rest != nil:
		rest := s.rest
		s.rest = nil
		err := s.write(rest.b)
		rest.recycle()
		return err
	case s.queue != nil:
		return s.writeQueue()
	default:
		frame := s.data
		s.data = nil
		frame.state = frameTaken
		err := s.write(frame.b)
		frame.finish(err)
		return err
	}
}

// writeQueue writes all that was queued until now.
func (s *Session) writeQueue() (err error) {
	queue := s.queue
	s.queue = nil
	for left := queue.b; len(left) > 0 && err == nil; {
		n := min(len(left), maxDataFrame)
		if err = s.write(left[:n]); err == nil {
			left = left[n:]
			s.queued -= n
		}
	}
	recycleQueue(queue)
	return err
}

// write writes b, for as long as it takes, and gives up mu meanwhile.
func (s *Session) write(b []byte) error {
	s.setDeadline(time.Time{})
	s.mu.Unlock()
	_, err := s.conn.Write(b)
	s.mu.Lock()
	s.progress = time.Now()
	return err
}

// setDeadline sets the connection's write deadline. Only a connection that
// gathers ever gets one: another, TLS for example, is of no use after a write
// that was cut off.
func (s *Session) setDeadline(t time.Time) {
	if !s.deadline.Equal(t) {
		s.deadline = t
		s.conn.SetWriteDeadline(t)
	}
}
