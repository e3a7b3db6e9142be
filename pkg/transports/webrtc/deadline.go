package webrtc

import (
	"sync"
	"time"
)

// deadline turns a point in time that can be moved into a channel that is
// closed once it has passed. The zero value is not set.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	passed chan struct{}
	gen    int
}

// set moves the deadline; the zero time takes it away. after, if not nil, is
// called once the deadline has passed, at once if it is in the past.
func (d *deadline) set(t time.Time, after func()) {
	d.mu.Lock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	// A timer that could not be stopped finds another generation and does nothing.
	d.gen++
	gen := d.gen
	if d.passed == nil || isClosed(d.passed) {
		d.passed = make(chan struct{})
	}
	now := false
	if !t.IsZero() {
		if left := time.Until(t); left > 0 {
			d.timer = time.AfterFunc(left, func() { d.expire(gen, after) })
		} else {
			close(d.passed)
			now = true
		}
	}
	d.mu.Unlock()
	if now && after != nil {
		after()
	}
}

func (d *deadline) expire(gen int, after func()) {
	d.mu.Lock()
	current := gen == d.gen
	if current {
		d.timer = nil
		close(d.passed)
	}
	d.mu.Unlock()
	if current && after != nil {
		after()
	}
}

// done returns a channel that is closed once the deadline has passed. A
// deadline that is set anew after it had passed has a new channel; one that is
// moved before keeps its channel, so that whoever waits sees the new time.
func (d *deadline) done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed == nil {
		d.passed = make(chan struct{})
	}
	return d.passed
}

// stop lets go of the timer.
func (d *deadline) stop() { d.set(time.Time{}, nil) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
