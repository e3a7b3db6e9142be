// Package accept takes the connections of a listener for as long as there is one.
package accept

import (
	"errors"
	"log/slog"
	"net"
	"time"
)

// How long to wait before the next accept after one that failed, most likely for want
// of file descriptors.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// logInterval is how often such a failure is logged. Connections that are closed make
// room for others, so that a flood of them has many fail and many not.
const logInterval = time.Second

// Loop calls take with each connection of a listener. It returns nil when the listener
// is closed, or when accepting fails for now and done is closed, and an error if the
// listener is of no use any more.
func Loop(l net.Listener, done <-chan struct{}, logger *slog.Logger, take func(net.Conn)) error {
	var pause time.Duration
	var logged time.Time
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			take(conn)
		case errors.Is(err, net.ErrClosed):
			return nil
		case isTemporary(err):
			pause = min(max(2*pause, minPause), maxPause)
			if now := time.Now(); now.Sub(logged) >= logInterval {
				logged = now
				logger.Warn("accept", "err", err, "pause", pause)
			}
			if !wait(done, pause) {
				return nil
			}
		default:
			return err
		}
	}
}

// wait tells whether done is still open after a while.
func wait(done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
		return false
	}
}

// isTemporary tells whether accepting may work again later.
func isTemporary(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.As(err, &temporary) && temporary.Temporary()
}
