package websocket

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

const (
	// maxMessage is how much of a Write goes into one message.
	maxMessage = 64 << 10

	// readBuffer is what an idle connection costs to read from: room for a few
	// control messages that came at once. What is larger is read into the
	// caller's buffer.
	readBuffer = 1 << 10

	// writeBuffer is what a Write in progress takes from writeBuffers.
	writeBuffer = 4 << 10

	// closeTimeout bounds what Close waits for a peer that does not read. There
	// is room for its last frame or there is not: this is no round trip.
	closeTimeout = 100 * time.Millisecond

	// closeWriteTimeout bounds CloseWrite, whose frame matters more.
	closeWriteTimeout = time.Second
)

// writeBuffers are shared by all connections: most are idle at any time.
var writeBuffers sync.Pool

// Conn is a websocket as a stream of bytes. What Write is given is one message,
// or one for every 64 KiB; the messages that come in are glued together.
//
// Read returns io.EOF when the other side has closed with status 1000 or 1001,
// or without saying so between two messages, and a [*CloseError] for other
// codes. After a deadline that cut a Read or Write the connection is of no use.
type Conn struct {
	// Static after construction.
	ws       *websocket.Conn
	origin   string
	token    string
	interval time.Duration // between pings
	buffered *bufio.Reader // what ws reads from, nil if that is not known

	epoch atomic.Uint64 // odd while a Read waits, see keepAlive

	rmu sync.Mutex
	// Guarded by rmu.
	message io.Reader // nil between two messages
	readErr error     // for ever

	wmu sync.Mutex // held for one Write

	mu sync.Mutex
	// Guarded by mu.
	closed   error       // why it was closed, nil until then
	writing  bool        // a Write is in progress
	deadline time.Time   // of Write
	alarm    *time.Timer // cuts the Write in progress
	beats    *time.Timer // of keepAlive
	control  map[int]string

	// Owned by beat.
	missed int    // pings in a row
	heard  uint64 // epoch at the last ping

	tasks sync.WaitGroup
}

var (
	_ net.Conn          = (*Conn)(nil)
	_ transport.Browser = (*Conn)(nil)
	_ transport.Bearer  = (*Conn)(nil)
)

func newConn(ws *websocket.Conn, origin, token string, config *Config) *Conn {
	c := &Conn{ws: ws, origin: origin, token: token, interval: config.PingInterval}
	ws.SetReadLimit(max(config.MaxMessageBytes, 0))
	c.keepAlive()
	return c
}

// Origin is the Origin that the other side's request named: that of the page if
// it is a browser. It is empty on the dialing side.
func (c *Conn) Origin() string { return c.origin }

// Token is what the other side's request presented, see [RequestToken]. It is
// empty on the dialing side.
func (c *Conn) Token() string { return c.token }

// NetConn is the connection that the websocket is on. It is there to be looked
// at: reading from it or writing to it breaks the websocket.
func (c *Conn) NetConn() net.Conn { return c.ws.NetConn() }

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.ws.LocalAddr() }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.ws.RemoteAddr() }

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	if c.readErr != nil || len(p) == 0 {
		return 0, c.readErr
	}
	c.epoch.Add(1)
	n, err := c.read(p)
	c.epoch.Add(1)
	c.readErr = c.explain("read", err)
	return n, c.readErr
}

// read fills p with what is there, and waits only if that is nothing.
func (c *Conn) read(p []byte) (n int, err error) {
	for n == 0 || n < len(p) && more(c.buffered) {
		m, err := c.readMessage(p[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// readMessage reads some of one message, perhaps nothing.
func (c *Conn) readMessage(p []byte) (int, error) {
	if c.message == nil {
		_, message, err := c.ws.NextReader()
		if isCut(err) {
			return 0, io.EOF
		} else if err != nil {
			return 0, err
		}
		c.heardSomething()
		c.message = message
	}
	n, err := c.message.Read(p)
	switch {
	case err == io.EOF:
		c.message, err = nil, nil
	case isCut(err):
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// isCut tells whether TCP ended without a Close: gorilla has a code for that,
// which no frame can have, and crypto/tls an error.
func isCut(err error) bool {
	return err == io.ErrUnexpectedEOF || websocket.IsCloseError(err, websocket.CloseAbnormalClosure)
}

// Write implements net.Conn. After either side has said Close it fails with
// [ErrCloseSent].
func (c *Conn) Write(p []byte) (int, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.beginWrite(); err != nil {
		return 0, err
	}
	defer c.endWrite()
	written := 0
	for written < len(p) {
		piece := p[written:min(len(p), written+maxMessage)]
		if err := c.ws.WriteMessage(websocket.BinaryMessage, piece); err != nil {
			return written, c.explain("write", err)
		}
		written += len(piece)
	}
	return written, nil
}

func (c *Conn) beginWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed != nil {
		return c.opError("write", c.closed)
	}
	if c.passedLocked() {
		return c.opError("write", os.ErrDeadlineExceeded)
	}
	c.writing = true
	c.setAlarmLocked()
	return nil
}

func (c *Conn) endWrite() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	c.setAlarmLocked()
}

// setAlarmLocked sees to it that a Write in progress is cut at its deadline.
// Half a frame is the end of a connection anyway. A deadline that gorilla knew of
// would hold for pings too, and not for a Write that is in progress.
func (c *Conn) setAlarmLocked() {
	if c.alarm != nil {
		c.alarm.Stop()
		c.alarm = nil
	}
	if c.writing && !c.deadline.IsZero() {
		c.alarm = time.AfterFunc(time.Until(c.deadline), c.cutWrite)
	}
}

func (c *Conn) cutWrite() {
	c.mu.Lock()
	late := c.writing && c.passedLocked()
	c.mu.Unlock()
	if late {
		c.shut(os.ErrDeadlineExceeded, 0)
	}
}

// passedLocked tells whether the write deadline has passed.
func (c *Conn) passedLocked() bool {
	return !c.deadline.IsZero() && !time.Now().Before(c.deadline)
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.ws.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	c.setAlarmLocked()
	return nil
}

// explain gives gorilla's errors the meaning that those of a net.Conn have.
func (c *Conn) explain(op string, err error) error {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	var timeout net.Error
	switch {
	case err == nil:
		return nil
	case closed != nil:
		return c.opError(op, closed)
	case websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived):
		return io.EOF
	case errors.As(err, &timeout) && timeout.Timeout():
		return c.opError(op, os.ErrDeadlineExceeded)
	}
	return err
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "websocket", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// CloseWrite says Close. Nothing can be written after it. Read goes on until the
// other side, which answers with its own Close, has closed.
func (c *Conn) CloseWrite() error {
	return c.explain("close", c.sayClose(websocket.CloseNormalClosure, closeWriteTimeout))
}

func (c *Conn) sayClose(code int, timeout time.Duration) error {
	return c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(timeout))
}

// Close implements net.Conn. It says Close unless a Write is in progress, and
// cuts the TCP connection without waiting for an answer: the npm package emits
// nothing before that.
func (c *Conn) Close() error {
	c.closeWith(websocket.CloseNormalClosure)
	return nil
}

func (c *Conn) closeWith(code int) {
	c.shut(net.ErrClosed, code)
	c.tasks.Wait()
}

// shut closes the connection for a reason, and tells the other side unless code
// is 0.
func (c *Conn) shut(reason error, code int) {
	c.mu.Lock()
	if c.closed != nil {
		c.mu.Unlock()
		return
	}
	c.closed = reason
	if c.beats != nil {
		c.beats.Stop()
	}
	writing := c.writing
	c.mu.Unlock()

	if code != 0 && !writing {
		c.sayClose(code, closeTimeout)
	}
	// What it returns is about TLS's goodbye, which is a courtesy.
	c.ws.Close()
}
