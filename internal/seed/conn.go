package seed

import (
	"container/list"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"
)

// goodbyeTime bounds what closing a TLS connection waits for a peer that does
// not read: there is room for the 24 bytes of the alert or there is not.
const goodbyeTime = 100 * time.Millisecond

// headed is a connection of which the first bytes were read already. They are the
// first that Read returns.
type headed struct {
	net.Conn
	head []byte // nil once it was returned
}

// Read implements net.Conn.
func (h *headed) Read(p []byte) (int, error) {
	if len(h.head) == 0 {
		return h.Conn.Read(p)
	}
	n := copy(p, h.head)
	if h.head = h.head[n:]; len(h.head) == 0 {
		h.head = nil
	}
	return n, nil
}

// conn is an accepted connection whose first bytes have been looked at. Below it
// is a *tls.Conn or what the listener accepted.
type conn struct {
	headed
	secure  bool
	reached reached                     // of a websocket, set before it is one
	client  atomic.Pointer[net.TCPAddr] // whom a trusted proxy has it from, else nil
	place   *list.Element               // in pending, guarded by its mu
}

// RemoteAddr implements net.Conn. It is the client's address if a trusted proxy
// has said what that is.
func (c *conn) RemoteAddr() net.Addr {
	if client := c.client.Load(); client != nil {
		return client
	}
	return c.Conn.RemoteAddr()
}

// ConnectionState is that of TLS, empty without.
func (c *conn) ConnectionState() tls.ConnectionState {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		return secure.ConnectionState()
	}
	return tls.ConnectionState{}
}

// CloseWrite ends the stream to the other side, where the connection can.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}

// Close implements net.Conn. It says goodbye if that takes no time; crypto/tls
// would take up to five seconds.
func (c *conn) Close() error {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		defer time.AfterFunc(goodbyeTime, func() { secure.NetConn().Close() }).Stop()
	}
	return c.Conn.Close()
}

// tcpConn is a conn without TLS. It keeps a TCP connection's way to write
// several buffers at once, which is how the exchange writes without copying.
type tcpConn struct{ *conn }

// WriteBuffers writes the buffers and consumes them.
func (c tcpConn) WriteBuffers(buffers *net.Buffers) (int64, error) {
	return buffers.WriteTo(c.Conn)
}
