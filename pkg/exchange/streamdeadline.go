package exchange

import (
	"net"
	"time"
)

func (s *stream) setReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.readTimeout.set(s, t)
	return nil
}

func (s *stream) setWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.writeTimeout.set(s, t)
	if s.channel != nil {
		s.channel.SetWriteDeadline(t)
	}
	return nil
}

// deadline wakes whoever waits on a stream when its time has come. Guarded by
// the stream's mu.
type deadline struct {
	timer  *time.Timer
	passed bool
}

func (d *deadline) set(s *stream, t time.Time) {
	d.stop()
	d.passed = false
	if t.IsZero() || s.closed || s.err != nil {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(t), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.timer == timer {
			d.passed = true
			s.changed.Broadcast()
		}
	})
	d.timer = timer
	if !t.After(time.Now()) {
		d.passed = true
		s.changed.Broadcast()
	}
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
