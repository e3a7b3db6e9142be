package exchange

import (
	"math"
	"sync"
	"time"
)

// relayTimes ends relays when their time is over. All of them have the same
// time, so they end in the order in which they began: a list and one timer do for
// thousands, where as many timers would cost the runtime more than the relays do.
type relayTimes struct {
	mu sync.Mutex
	// Guarded by mu.
	first, last *relay
	timer       *time.Timer // runs while the list is not empty
}

// add has r closed when d has passed, never if d is negative.
func (t *relayTimes) add(r *relay, d time.Duration) {
	if d < 0 {
		d = math.MaxInt64
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r.until = time.Now().Add(d)
	r.listed = true
	r.previous = t.last
	if t.last == nil {
		t.first = r
		t.arm()
	} else {
		t.last.next = r
	}
	t.last = r
}

// remove forgets a relay that is closed. It may be called again.
func (t *relayTimes) remove(r *relay) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !r.listed {
		return
	}
	if r.previous == nil {
		t.first = r.next
	} else {
		r.previous.next = r.next
	}
	if r.next == nil {
		t.last = r.previous
	} else {
		r.next.previous = r.previous
	}
	r.listed, r.previous, r.next = false, nil, nil
	if t.first == nil {
		t.timer.Stop()
	}
}

// busySince tells whether signals have passed through any relay since then.
func (t *relayTimes) busySince(then time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for r := t.first; r != nil; r = r.next {
		if r.heard.Load() >= then.UnixNano() {
			return true
		}
	}
	return false
}

// arm sets the timer to the end of the first relay. The caller holds mu.
func (t *relayTimes) arm() {
	d := time.Until(t.first.until)
	if t.timer == nil {
		t.timer = time.AfterFunc(d, t.expire)
	} else {
		t.timer.Reset(d)
	}
}

// expire closes what is over.
func (t *relayTimes) expire() {
	for {
		t.mu.Lock()
		r := t.first
		if r == nil || time.Now().Before(r.until) {
			if r != nil {
				t.arm()
			}
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		t.remove(r) // also if it is being closed just now by somebody else
		r.close()
	}
}
