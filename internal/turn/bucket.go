package turn

import (
	"sync/atomic"
	"time"
)

// bucket limits a rate of bytes. It is a generic cell rate algorithm in one word, so
// that every core can take from it without a lock.
type bucket struct {
	// Static after construction.
	perByte float64 // nanoseconds; zero is no limit
	burst   int64   // nanoseconds

	full atomic.Int64 // when everything taken so far would have been spent at the rate
}

// init sets the bytes per second; a negative rate is no limit. What was left unused
// for a second may be taken at once.
func (b *bucket) init(rate int64) {
	if rate > 0 {
		b.perByte = float64(time.Second) / float64(rate)
		b.burst = int64(time.Second)
	}
}

// take takes n bytes, or nothing if that is more than there is.
func (b *bucket) take(n int, now int64) bool {
	if b.perByte == 0 {
		return true
	}
	cost := int64(float64(n) * b.perByte)
	for {
		was := b.full.Load()
		next := max(was, now) + cost
		if next-now > b.burst {
			return false
		}
		if b.full.CompareAndSwap(was, next) {
			return true
		}
	}
}

// giveBack undoes a take.
func (b *bucket) giveBack(n int) {
	if b.perByte != 0 {
		b.full.Add(-int64(float64(n) * b.perByte))
	}
}
