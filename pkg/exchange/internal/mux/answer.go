package mux

// What receivers send while a chunk is decoded is mostly answers. They leave
// together when it is done, written by the read loop itself, which is cheaper
// than to start the flusher. It must not make two nodes wait for each other,
// each writing and neither reading: see overdue. Once the application has sent
// data, which may fill the connection at any time, the read loop leaves all
// writing to the flusher.

// Hold has what is sent from now on leave in one write with the answers to what
// Run receives first. It is for the read loop's goroutine, which calls Run next.
func (s *Session) Hold() { s.hold() }

// hold begins a chunk: what is queued now waits for settle.
func (s *Session) hold() {
	s.mu.Lock()
	s.holding = true
	s.mu.Unlock()
}

// settle ends a chunk: what is queued is written. It returns false if another
// goroutine reads now.
func (s *Session) settle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.holding
	s.holding = false
	if held && !s.detached && !s.writing && s.queue != nil {
		s.writing, s.inline = true, true
		s.writePending()
		if !s.inline {
			return false
		}
		s.inline = false
	}
	s.kick()
	s.awaitLastWords()
	return true
}

// Unhold has what was sent until now written without waiting for the end of what
// is being received: a Receiver that is about to block calls it.
func (s *Session) Unhold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unhold()
	return s.err == nil && s.mute == nil
}

// unhold has what is queued written now and not at the end of the chunk. The
// caller holds mu.
func (s *Session) unhold() {
	s.holding = false
	s.kick()
}

// relieve has another goroutine go on reading, while the read loop is held up
// in a write, which it does as the flusher from now on. The caller holds mu.
func (s *Session) relieve() {
	s.inline = false
	s.active++
	go func() {
		err := s.read(nil)
		for err == ErrPaused { // this goroutine has not grown yet
			err = s.read(nil)
		}
		s.endReading(err)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inactive()
	}()
}
