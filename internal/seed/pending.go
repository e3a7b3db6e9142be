package seed

import (
	"container/list"
	"net"
	"sync"
)

// pending holds the connections that are no peers yet: in their TLS handshake,
// silent so far, or in an HTTP request. There is a bounded number of them. When
// one more comes, the oldest has to go: whoever means to connect does so in a
// moment, and a flood of connections that do nothing is made of old ones.
type pending struct {
	// Static after construction.
	most int // negative is no bound

	mu sync.Mutex
	// Guarded by mu.
	closed bool
	conns  list.List // of pendingConn, oldest first
}

// pendingConn is a connection and what is below its TLS, whose Close waits for
// nothing.
type pendingConn struct {
	conn *conn
	raw  net.Conn
}

// from is whom the connection is from. The conn's own RemoteAddr is for its
// goroutine only as long as it may begin with TLS.
func (p pendingConn) from() net.Addr {
	if client := p.conn.client.Load(); client != nil {
		return client
	}
	return p.raw.RemoteAddr()
}

// enter adds a connection. It returns the one that had to go for it, if any,
// which the caller closes; ok is false if the seed takes no more connections.
func (p *pending) enter(c *conn, raw net.Conn) (evicted *pendingConn, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false
	}
	if p.most >= 0 && p.conns.Len() >= p.most {
		if oldest := p.conns.Front(); oldest != nil {
			out := p.removeLocked(oldest)
			evicted = &out
		}
	}
	c.place = p.conns.PushBack(pendingConn{c, raw})
	return evicted, true
}

// leave takes a connection out that has become a peer, or is no more. It tells
// whether the connection was still in: else it has been closed.
func (p *pending) leave(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.place == nil {
		return false
	}
	p.removeLocked(c.place)
	return true
}

func (p *pending) removeLocked(place *list.Element) pendingConn {
	entry := p.conns.Remove(place).(pendingConn)
	entry.conn.place = nil
	return entry
}

// len is how many connections are pending.
func (p *pending) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns.Len()
}

// close closes all that are pending, and takes no more.
func (p *pending) close() {
	p.mu.Lock()
	p.closed = true
	var raws []net.Conn
	for p.conns.Len() > 0 {
		raws = append(raws, p.removeLocked(p.conns.Front()).raw)
	}
	p.mu.Unlock()
	for _, raw := range raws {
		raw.Close()
	}
}
