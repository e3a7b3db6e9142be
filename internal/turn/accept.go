package turn

import (
	"errors"
	"net"
	"time"
)

// How long to wait before the next accept after one that failed, most likely for want
// of file descriptors.
const (
	minAcceptPause = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// accept takes the connections of a listener until it is closed.
func (s *Server) accept(l Listener) error {
	var pause time.Duration
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.serve(conn, l.Transport)
		case errors.Is(err, net.ErrClosed):
			return nil
		case isTemporary(err):
			pause = min(max(2*pause, minAcceptPause), maxAcceptPause)
			s.cfg.Logger.Warn("accept TURN connection", "err", err, "pause", pause)
			if !s.wait(pause) {
				return nil
			}
		default:
			return err
		}
	}
}

// wait tells whether the server is still there after a while.
func (s *Server) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}

// isTemporary tells whether accepting may work again later.
func isTemporary(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.As(err, &temporary) && temporary.Temporary()
}

// serve starts a connection.
func (s *Server) serve(conn net.Conn, transport string) {
	c := newStream(s, transport, conn)
	if !c.client.IsValid() || !c.local.IsValid() {
		s.cfg.Logger.Debug("connection has no addresses", "remote_addr", conn.RemoteAddr())
		conn.Close()
		return
	}
	evicted, ok := s.streams.enter(c)
	if evicted != nil {
		s.metrics.refused.add(QuotaPending)
		s.notices.info("connection refused", QuotaPending, "remote_addr", evicted.client)
		evicted.shut()
	}
	if !ok {
		conn.Close()
		return
	}
	conn.SetReadDeadline(time.Now().Add(s.cfg.HandshakeTime))
	s.metrics.connections.add(transport)
	s.running.Add(1)
	if err := s.start(c.gate, c); err != nil {
		s.cfg.Logger.Warn("serve TURN connection", "remote_addr", c.client, "err", err)
		c.over()
	}
}
