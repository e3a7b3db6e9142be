package turn

import (
	"container/list"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// streams are the connections that there are. Those without an allocation are in
// doubt: one too many of them closes the oldest.
type streams struct {
	// Static after construction.
	limit int // of those in doubt; negative is none

	mu sync.Mutex
	// Guarded by mu.
	closed  bool
	all     map[*stream]*list.Element // its place among the doubtful, or nil
	doubted list.List                 // of *stream, the oldest first
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

// enter takes a new connection. It is false if there are to be no more; evicted is to
// be closed, if it is one.
func (s *streams) enter(c *stream) (evicted *stream, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	if s.all == nil {
		s.all = make(map[*stream]*list.Element)
	}
	if s.limit >= 0 && s.doubted.Len() >= s.limit {
		if oldest := s.doubted.Front(); oldest != nil {
			evicted = s.doubted.Remove(oldest).(*stream)
			s.all[evicted] = nil
		}
	}
	s.all[c] = s.doubted.PushBack(c)
	return evicted, true
}

// keep is for one that has got an allocation.
func (s *streams) keep(c *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.all[c]; at != nil {
		s.doubted.Remove(at)
		s.all[c] = nil
	}
}

// doubt is for one whose allocation is over.
func (s *streams) doubt(c *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, there := s.all[c]; there && at == nil {
		s.all[c] = s.doubted.PushBack(c)
	}
}

// leave is for one that is closed.
func (s *streams) leave(c *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.all[c]; at != nil {
		s.doubted.Remove(at)
	}
	delete(s.all, c)
}

// close lets no more connections in.
func (s *streams) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// snapshot returns the connections that there are.
func (s *streams) snapshot() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.all))
}
