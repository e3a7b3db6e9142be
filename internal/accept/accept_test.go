package accept

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// listener accepts what is queued: connections, and errors.
type listener struct{ queue chan any }

func (l listener) Accept() (net.Conn, error) {
	switch next := (<-l.queue).(type) {
	case error:
		return nil, next
	case net.Conn:
		return next, nil
	}
	return nil, net.ErrClosed
}

func (l listener) Close() error { return nil }

func (l listener) Addr() net.Addr { return nil }

// full is what the system says that has no file descriptors left.
var full = &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}

// queued is a listener that accepts these and is closed then.
func queued(results ...any) listener {
	l := listener{make(chan any, len(results))}
	for _, result := range results {
		l.queue <- result
	}
	close(l.queue)
	return l
}

func TestLoopGoesOnWhenAcceptFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := net.Pipe()
		defer one.Close()
		defer other.Close()
		began, taken := time.Now(), 0
		err := Loop(queued(full, full, full, one, full, other), nil, slog.New(slog.DiscardHandler), func(net.Conn) { taken++ })
		if err != nil || taken != 2 {
			t.Errorf("%d connections were taken: %v", taken, err)
		}
		if waited, want := time.Since(began), 8*minPause; waited != want {
			t.Errorf("waited %v, want %v: three pauses, each twice as long, and the first again", waited, want)
		}
	})
}

// TestLoopLogsOnceASecond is about a flood at the limit of file descriptors: whatever
// ends makes room for one more, so that every other accept fails.
func TestLoopLogsOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := net.Pipe()
		defer one.Close()
		defer other.Close()
		var results []any
		for range int(10 * time.Second / minPause) {
			results = append(results, full, one)
		}
		var logs bytes.Buffer
		if err := Loop(queued(results...), nil, slog.New(slog.NewTextHandler(&logs, nil)), func(net.Conn) {}); err != nil {
			t.Error(err)
		}
		if n := strings.Count(logs.String(), "msg=accept"); n != 10 {
			t.Errorf("%d records in ten seconds, want 10", n)
		}
	})
}

func TestLoopDoesNotWaitToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		close(done)
		began := time.Now()
		err := Loop(queued(full, errors.New("asked once more")), done, slog.New(slog.DiscardHandler), nil)
		if took := time.Since(began); err != nil || took != 0 {
			t.Errorf("the end took %v: %v", took, err)
		}
	})
}

func TestLoopReportsAListenerThatDied(t *testing.T) {
	broken := errors.New("broken")
	if err := Loop(queued(broken), nil, slog.New(slog.DiscardHandler), nil); err != broken {
		t.Errorf("loop: %v, want %v", err, broken)
	}
}
