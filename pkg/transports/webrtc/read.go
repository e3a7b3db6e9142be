package webrtc

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/pion/sctp"
)

// Sizes of the buffers that a message is read into when it does not fit into
// the buffer given to Read. Most nodes send messages of at most 64 KiB.
var (
	mediumBuffers = bufferPool(65536)
	largeBuffers  = bufferPool(MaxMessageReceived)
)

func bufferPool(size int) *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, size)
		return &b
	}}
}

// leftover is the part of a message that Read has not returned yet.
type leftover struct {
	data   []byte
	buffer *[]byte
	pool   *sync.Pool
}

// dropRest gives the buffer of a leftover back.
func (c *Conn) dropRest() {
	if c.rest != nil {
		c.rest.pool.Put(c.rest.buffer)
		c.rest = nil
	}
}

// Read returns bytes of the other node in order. It reads straight into p where
// a message fits, so an idle connection holds no buffer; the rest of a larger
// message is kept for the next Read. It returns io.EOF once the other node has
// closed, [ErrLost] when the path is dead, net.ErrClosed after Close, and
// os.ErrDeadlineExceeded.
func (c *Conn) Read(p []byte) (int, error) {
	select {
	case c.reading <- struct{}{}:
		defer func() { <-c.reading }()
	case <-c.closing:
		return 0, net.ErrClosed
	}
	for {
		if isClosed(c.closing) {
			return 0, net.ErrClosed
		}
		if isClosed(c.readDeadline.done()) {
			return 0, os.ErrDeadlineExceeded
		}
		if len(p) == 0 {
			return 0, nil
		}
		if c.rest != nil {
			return c.readRest(p), nil
		}
		n, err := c.channel.Read(p)
		if errors.Is(err, io.ErrShortBuffer) {
			err = c.readLarge()
			n = 0
		}
		switch {
		case err == nil && n > 0:
			return n, nil
		case err == nil:
			// An empty message, or one that is in rest now.
		case errors.Is(err, os.ErrDeadlineExceeded):
			if end := c.end(); end != nil {
				return 0, end
			}
			// We were woken, or a wake-up of an earlier Read came late: take
			// it back before the reasons for it are looked at again.
			_ = c.channel.SetReadDeadline(time.Time{})
			if end := c.end(); end != nil {
				return 0, end
			}
		default:
			return 0, c.readFailed(err)
		}
	}
}

func (c *Conn) readRest(p []byte) int {
	n := copy(p, c.rest.data)
	c.rest.data = c.rest.data[n:]
	if len(c.rest.data) == 0 {
		c.dropRest()
	}
	return n
}

// readLarge reads a message that did not fit into the buffer given to Read;
// pion keeps it until a buffer is large enough.
func (c *Conn) readLarge() error {
	for _, pool := range []*sync.Pool{mediumBuffers, largeBuffers} {
		buffer := pool.Get().(*[]byte)
		n, err := c.channel.Read(*buffer)
		if err == nil && n > 0 {
			c.rest = &leftover{data: (*buffer)[:n], buffer: buffer, pool: pool}
			return nil
		}
		pool.Put(buffer)
		if !errors.Is(err, io.ErrShortBuffer) {
			return err
		}
	}
	return fmt.Errorf("%w: limit is %d bytes", ErrMessageTooLarge, MaxMessageReceived)
}

// readFailed records the end of the connection that Read has come to.
func (c *Conn) readFailed(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, sctp.ErrChunk):
		// The other node has reset its stream, closed the connection, or
		// aborted the association, which is libwebrtc's way of closing it.
		err = io.EOF
	case !errors.Is(err, ErrMessageTooLarge):
		err = fmt.Errorf("read data channel: %w", err)
	}
	// Nothing is acknowledged after that, so a Write must not wait for it.
	c.fail(err)
	return c.end()
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if isClosed(c.closing) {
		return net.ErrClosed
	}
	c.readDeadline.set(t, c.interruptRead)
	return nil
}

// interruptRead makes a Read in progress look at what has changed. Read itself
// takes the deadline back.
func (c *Conn) interruptRead() {
	_ = c.channel.SetReadDeadline(time.Unix(1, 0))
}
