package mux

// SetLimits changes Config.MaxChannels and Config.MaxQueueBytes of a session
// that runs: the other side turned out to be more than a stranger.
func (s *Session) SetLimits(maxChannels, maxQueueBytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.MaxChannels, s.cfg.MaxQueueBytes = maxChannels, maxQueueBytes
}

// Queued is how many bytes wait to be written, application data aside.
func (s *Session) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued
}
