package turn

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// writeTime is how long a client may take to take what is sent to it. Meanwhile its
// peers' messages pile up in its relayed address's socket, which is bounded.
const writeTime = 10 * time.Second

// stream is a client's connection. To pion it is a net.PacketConn of that one client,
// on which nothing but requests arrives.
type stream struct {
	// Static after construction.
	gate   *gate
	conn   net.Conn
	client netip.AddrPort
	local  netip.AddrPort
	shut   func() // once

	// Owned by pion's goroutine.
	buf        []byte
	start, end int // what of buf is to be parsed
	finished   sync.Once

	writing sync.Mutex
	// Guarded by writing.
	joined   []byte
	deadline int64 // of writes, as of Server.now
}

func newStream(s *Server, transport string, conn net.Conn) *stream {
	c := &stream{
		gate: newGate(s, transport), conn: conn,
		client: addrPort(conn.RemoteAddr()), local: addrPort(conn.LocalAddr()),
		buf: make([]byte, readBytes),
	}
	c.shut = sync.OnceFunc(func() { conn.Close() })
	c.gate.write, c.gate.deliver, c.gate.changed = c.write, c.deliver, c.allocated
	return c
}

// addrPort returns an IP address and a port, or none.
func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	if tcp, ok := a.(*net.TCPAddr); ok {
		ap = tcp.AddrPort()
	} else if a != nil {
		var err error
		if ap, err = netip.ParseAddrPort(a.String()); err != nil {
			return netip.AddrPort{}
		}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// allocated follows whether the client has an allocation: without one it does not
// stay.
func (c *stream) allocated(sessions int) {
	if sessions > 0 {
		c.gate.server.streams.keep(c)
		c.conn.SetReadDeadline(time.Time{})
	} else {
		c.conn.SetReadDeadline(time.Now().Add(c.gate.server.cfg.HandshakeTime))
		c.gate.server.streams.doubt(c)
	}
}

// ReadFrom implements net.PacketConn: it relays data until there is a request.
func (c *stream) ReadFrom(p []byte) (int, net.Addr, error) {
	c.gate.finish()
	now := c.gate.server.now()
	for {
		frame, err := c.next()
		if err != nil {
			c.over()
			return 0, nil, err
		}
		if frame == nil {
			if err := c.read(); err != nil {
				c.over()
				return 0, nil, err
			}
			now = c.gate.server.now()
			continue
		}
		if !c.gate.data(frame, c.client, now) && c.gate.admit(frame, c.client) {
			return copy(p, frame), net.TCPAddrFromAddrPort(c.client), nil
		}
	}
}

// next returns the next message that is there as a whole, or nil.
func (c *stream) next() ([]byte, error) {
	unread := c.buf[c.start:c.end]
	n, err := frameLength(unread)
	if err != nil || n == 0 || n > len(unread) {
		return nil, err
	}
	c.start += n
	return unread[:n:n], nil
}

// read reads more. What was returned by next is gone.
func (c *stream) read() error {
	if c.start > 0 {
		c.end = copy(c.buf, c.buf[c.start:c.end])
		c.start = 0
	}
	if c.end == len(c.buf) || c.end > len(c.buf)/2 && len(c.buf) < maxReadSize {
		larger := make([]byte, maxReadSize)
		copy(larger, c.buf[:c.end])
		c.buf = larger
	}
	n, err := c.conn.Read(c.buf[c.end:])
	c.end += n
	if n > 0 {
		return nil
	}
	return err
}

// over comes before pion's goroutine ends, which then ends the allocation.
func (c *stream) over() {
	c.finished.Do(func() {
		c.shut()
		c.gate.server.streams.leave(c)
		c.gate.server.metrics.connections.of(c.gate.transport).Add(^uint64(0))
		c.gate.server.running.Done()
	})
}

func (c *stream) write(p []byte, _ netip.AddrPort) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	// Moving it for every message would cost as much as finding out whose it is.
	if next := c.gate.server.now() + int64(writeTime); next > c.deadline+int64(time.Second) {
		c.conn.SetWriteDeadline(time.Now().Add(writeTime))
		c.deadline = next
	}
	_, err := c.conn.Write(p)
	if err != nil {
		c.shut() // the client would take what follows for the rest of this
	}
	return err
}

// deliver sends several messages with one write.
func (c *stream) deliver(_ *batch, frames [][]byte, to netip.AddrPort) (sent int) {
	if len(frames) == 1 {
		if c.write(frames[0], to) != nil {
			return 0
		}
		return 1
	}
	c.writing.Lock()
	joined := c.joined[:0]
	c.joined = nil
	c.writing.Unlock()
	for _, frame := range frames {
		joined = append(joined, frame...)
	}
	err := c.write(joined, to)
	if cap(joined) <= maxReadSize {
		c.writing.Lock()
		c.joined = joined
		c.writing.Unlock()
	}
	if err != nil {
		return 0
	}
	return len(frames)
}

// WriteTo implements net.PacketConn: a response of pion's.
func (c *stream) WriteTo(p []byte, _ net.Addr) (int, error) { return len(p), c.gate.respond(p) }

// Close implements net.PacketConn.
func (c *stream) Close() error {
	c.shut()
	return nil
}

// LocalAddr implements net.PacketConn.
func (c *stream) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// SetDeadline implements net.PacketConn.
func (c *stream) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (c *stream) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn.
func (c *stream) SetWriteDeadline(time.Time) error { return nil }
