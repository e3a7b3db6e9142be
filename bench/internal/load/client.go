package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// Target is the seed to be driven.
type Target struct {
	Addr      string // host:port on loopback
	TLS       bool   // its certificate is not verified
	NetworkID string
	From      string // the address to connect from; empty is any
	TURN      string // host:port of its TURN server, if that is loaded
}

func (t Target) dialer() *net.Dialer {
	d := &net.Dialer{Timeout: stallTimeout}
	if t.From != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(t.From)}
	}
	return d
}

// stallTimeout is how long a server may leave a client without anything to read while the client waits for it. Nothing
// that a seed does in this benchmark takes a tenth of it.
const stallTimeout = 20 * time.Second

// handler takes what a seed sends to a client that is ready.
type handler interface {
	// line takes a line of the control channel other than hello and helloack.
	line(c *client, line []byte) error
	// signal takes a piece of what came on the relay called name.
	signal(c *client, name string, p []byte) error
}

// client is one websocket connection to a seed. One goroutine uses it.
type client struct {
	conn net.Conn
	key  uint32 // masks everything this client sends

	out    []byte // to be written by flush
	buf    []byte // bytes from the server, from its first unparsed one
	stream []byte // multiplex bytes out of buf, from their first unparsed one
	text   []byte // of the control channel, an unfinished line

	names  map[uint64]string // of the channels that the server opened
	hello  bool              // the server's hello has come
	acked  bool              // the server's helloack has come
	closed bool              // the server's close frame has come
	nextID uint64            // for relays
}

// dial connects to the target and upgrades to a websocket. Whatever the deadline or ctx ends is an error.
func dial(ctx context.Context, t Target, bufferBytes int) (*client, error) {
	conn, err := t.dialer().DialContext(ctx, "tcp", t.Addr)
	if err != nil {
		return nil, err
	}
	if t.TLS {
		// The certificate was made a moment ago by the process that is measured, on loopback.
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	c := &client{conn: conn, key: rand.Uint32() | 1, buf: make([]byte, 0, bufferBytes), nextID: 2}
	if err := c.upgrade(t.Addr); err != nil {
		conn.Close()
		return nil, fmt.Errorf("dial %s: %w", t.Addr, err)
	}
	return c, nil
}

func (c *client) upgrade(host string) error {
	var key [16]byte
	for i := range key {
		key[i] = byte(rand.Uint32())
	}
	c.out = append(c.out, upgradeRequest(host, base64.StdEncoding.EncodeToString(key[:]))...)
	if err := c.flush(); err != nil {
		return err
	}
	for {
		if err := c.fill(); err != nil {
			return err
		}
		size, err := upgraded(c.buf)
		if err != nil {
			return err
		}
		if size > 0 {
			c.buf = append(c.buf[:0], c.buf[size:]...)
			return nil
		}
	}
}

// handshake says hello and returns once both sides are ready.
func (c *client) handshake(t Target, accepts string) error {
	c.out = appendFrame(c.out, c.key, 0, frameOpen, "pxp")
	c.send(helloLine(t.NetworkID, accepts))
	// What came glued to the answer of the upgrade is parsed first.
	if err := c.parse(nil); err != nil {
		return err
	}
	for {
		if err := c.flush(); err != nil {
			return err
		}
		if c.hello && c.acked {
			return nil
		}
		if err := c.step(nil); err != nil {
			return err
		}
	}
}

// send queues a line on the control channel.
func (c *client) send(line string) { c.out = appendFrame(c.out, c.key, 0, frameData, line) }

// flush writes what is queued, in one write.
func (c *client) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(stallTimeout)); err != nil {
		return err
	}
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

// fill reads once into buf, and waits no longer for it than a server may take.
func (c *client) fill() error {
	if err := c.conn.SetReadDeadline(time.Now().Add(stallTimeout)); err != nil {
		return err
	}
	return c.read()
}

// read reads once into buf, however long that takes.
func (c *client) read() error {
	if len(c.buf) == cap(c.buf) {
		c.buf = append(c.buf, 0)[:len(c.buf)]
	}
	n, err := c.conn.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// step reads once and hands what came to h, which may be nil as long as nothing but a handshake is expected.
func (c *client) step(h handler) error {
	if err := c.fill(); err != nil {
		return err
	}
	return c.parse(h)
}

func (c *client) parse(h handler) error {
	at := 0
	for {
		m, size, err := nextMessage(c.buf[at:])
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		at += size
		switch m.opcode {
		case opBinary, opContinuation, opText:
			c.stream = append(c.stream, m.payload...)
		case opPing:
			c.out = appendMessage(c.out, opPong, c.key, m.payload...)
		case opClose:
			c.closed = true
		}
	}
	c.buf = append(c.buf[:0], c.buf[at:]...)
	return c.parseStream(h)
}

func (c *client) parseStream(h handler) error {
	at := 0
	for {
		f, size, err := nextFrame(c.stream[at:])
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		at += size
		if err := c.frame(h, f); err != nil {
			return err
		}
	}
	c.stream = append(c.stream[:0], c.stream[at:]...)
	return nil
}

func (c *client) frame(h handler, f frame) error {
	switch f.kind {
	case frameOpen:
		if c.names == nil {
			c.names = make(map[uint64]string)
		}
		c.names[f.id] = string(f.payload)
	case frameData:
		switch name := c.names[f.id]; {
		case name == "pxp":
			return c.lines(h, f.payload)
		case len(name) > len(relayPrefix) && h != nil:
			return h.signal(c, name, f.payload)
		}
	case frameEnd:
		delete(c.names, f.id)
	}
	return nil
}

func (c *client) lines(h handler, p []byte) error {
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			c.text = append(c.text, p...)
			return nil
		}
		line := p[:end]
		if len(c.text) > 0 {
			c.text = append(c.text, line...)
			line = c.text
		}
		if err := c.control(h, line); err != nil {
			return err
		}
		c.text = c.text[:0]
		p = p[end+1:]
	}
}

func (c *client) control(h handler, line []byte) error {
	switch {
	case bytes.HasPrefix(line, helloackPrefix):
		c.acked = true
		return nil
	case bytes.HasPrefix(line, helloPrefix):
		c.hello = true
		c.send(helloackLine)
		return nil
	case h == nil:
		return nil
	}
	return h.line(c, line)
}

// close leaves as the published client does: it sends a close frame, and waits for the server to close the connection.
func (c *client) close() error {
	defer c.conn.Close()
	c.out = appendMessage(c.out, opClose, c.key, 0x03, 0xe8)
	if err := c.flush(); err != nil {
		return err
	}
	for {
		if err := c.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("wait for the server to close: %w", err)
		}
		c.buf = c.buf[:0]
	}
}
