package mux

import (
	"fmt"
	"time"
)

// heldUp is how long the read loop may keep what is queued from being written,
// because of a receiver that blocks or a connection that does.
const heldUp = 50 * time.Millisecond

// overdue runs when what is queued has been waiting. A read loop that is held
// up is relieved: of what is queued, by the flusher, or of reading, by another
// goroutine. If nothing is written for Config.WriteTimeout, the session ends.
func (s *Session) overdue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer.set = 0
	if s.err != nil || s.queued == 0 {
		return
	}
	waited := time.Since(s.progress)
	if waited >= heldUp {
		switch {
		case s.holding:
			s.unhold()
		case s.inline:
			s.relieve()
		}
	}
	if limit := s.patience(); waited < limit {
		s.setTimer(limit - waited)
	} else if limit >= 0 {
		s.endAsync(fmt.Errorf("nothing written for %v: %w", waited, ErrSlowPeer))
	}
}

// patience is how long queued bytes may wait until overdue has something to do,
// negative if for ever.
func (s *Session) patience() time.Duration {
	if s.holding || s.inline {
		return heldUp
	}
	return s.cfg.WriteTimeout
}

// setTimer has overdue run after d, or before. The timer is not stopped when
// nothing is queued any more but runs out, so that a busy session need not set it
// again and again.
func (s *Session) setTimer(d time.Duration) {
	switch {
	case d < 0 || s.timer.set != 0 && s.timer.set <= d:
		return
	case s.timer.Timer == nil:
		s.timer.Timer = time.AfterFunc(d, s.overdue)
	default:
		s.timer.Reset(d)
	}
	s.timer.set = d
}

func (s *Session) stopTimer() {
	if s.timer.set != 0 {
		s.timer.Stop()
		s.timer.set = 0
	}
}

// timer is a timer that knows whether it runs.
type timer struct {
	*time.Timer
	set time.Duration // what it was last set to, 0 when it does not run
}
