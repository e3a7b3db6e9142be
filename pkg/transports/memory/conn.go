package memory

import (
	"io"
	"net"
	"net/netip"
	"time"
)

// conn is one end of a connection. Like TCP it goes on handing out what had
// arrived when the other end was closed.
type conn struct {
	// Static after construction.
	in, out       *buffer
	local, remote netip.AddrPort
	token         string // of who dialed, at the accepting end
}

// Token is what who dialed presents.
func (c *conn) Token() string { return c.token }

// pipe makes the two ends of a connection; size is each direction's buffer.
func pipe(a, b netip.AddrPort, size int) (*conn, *conn) {
	ab, ba := newBuffer(size), newBuffer(size)
	return &conn{in: ba, out: ab, local: a, remote: b}, &conn{in: ab, out: ba, local: b, remote: a}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	if err != nil && err != io.EOF {
		err = c.opError("read", err)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	if err != nil {
		err = c.opError("write", err)
	}
	return n, err
}

func (c *conn) Close() error {
	c.in.close(&c.in.reader)
	c.out.close(&c.out.writer)
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return tcpAddr(c.local) }
func (c *conn) RemoteAddr() net.Addr { return tcpAddr(c.remote) }

func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	if err := c.in.setDeadline(&c.in.reader, t); err != nil {
		return c.opError("set", err)
	}
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	if err := c.out.setDeadline(&c.out.writer, t); err != nil {
		return c.opError("set", err)
	}
	return nil
}

func (c *conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "memory", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
