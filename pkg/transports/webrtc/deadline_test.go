package webrtc

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadline
		var calls atomic.Int32
		after := func() { calls.Add(1) }
		expect := func(passed bool, wantCalls int32) {
			t.Helper()
			synctest.Wait()
			if got := isClosed(d.done()); got != passed || calls.Load() != wantCalls {
				t.Errorf("passed %t after %d calls, want %t and %d", got, calls.Load(), passed, wantCalls)
			}
		}
		expect(false, 0)

		d.set(time.Now().Add(time.Minute), after)
		waiting := d.done()
		time.Sleep(59 * time.Second)
		expect(false, 0)
		d.set(time.Now().Add(time.Minute), after) // moved: who waits stays waiting
		time.Sleep(59 * time.Second)
		expect(false, 0)
		time.Sleep(time.Second)
		expect(true, 1)
		if !isClosed(waiting) {
			t.Error("the channel of before the move was not closed")
		}

		d.set(time.Now().Add(-time.Second), after)
		expect(true, 2)
		d.set(time.Time{}, after)
		expect(false, 2)
		d.set(time.Now().Add(time.Second), after)
		d.stop()
		time.Sleep(time.Hour)
		expect(false, 2)
	})
}
