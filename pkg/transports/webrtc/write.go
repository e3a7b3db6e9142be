package webrtc

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// Write sends p in messages of at most [Config.MaxMessageSent] bytes, less if
// the other node wants less. It returns when everything is in the send buffer
// and blocks while that is full. Bytes that are in the buffer are sent even if
// the deadline passes in the middle of p.
func (c *Conn) Write(p []byte) (int, error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	written := 0
	for {
		if err := c.waitWritable(); err != nil {
			return written, err
		}
		if written == len(p) {
			return written, nil
		}
		message := p[written:min(len(p), written+c.maxMessage)]
		if _, err := c.channel.Write(message); err != nil {
			return written, c.writeFailed(err)
		}
		written += len(message)
		if written == len(p) {
			return written, nil
		}
	}
}

// waitWritable waits until the send buffer has room.
func (c *Conn) waitWritable() error {
	for full := false; ; {
		deadline := c.writeDeadline.done()
		switch {
		case isClosed(c.closing):
			return net.ErrClosed
		case isClosed(c.failed):
			return c.writeFailed(nil)
		case isClosed(deadline):
			return os.ErrDeadlineExceeded
		}
		buffered := c.channel.BufferedAmount()
		if buffered <= uint64(c.transport.cfg.SendBufferLow) || !full && buffered < uint64(c.transport.cfg.SendBuffer) {
			return nil
		}
		full = true
		select {
		case <-c.writable:
		case <-c.closing:
		case <-c.failed:
		case <-deadline:
		}
	}
}

// writeFailed says why nothing can be written any more: an error of pion's
// write, or the end of the connection if there was none.
func (c *Conn) writeFailed(err error) error {
	if isClosed(c.closing) {
		return net.ErrClosed
	}
	end := c.end()
	switch {
	case end == io.EOF, end == nil:
		if err == nil {
			return fmt.Errorf("write data channel: %w", io.ErrClosedPipe)
		}
		return fmt.Errorf("write data channel: %w: %w", io.ErrClosedPipe, err)
	default:
		return end
	}
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if isClosed(c.closing) {
		return net.ErrClosed
	}
	c.writeDeadline.set(t, nil)
	return nil
}
