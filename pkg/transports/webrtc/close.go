package webrtc

import (
	"errors"
	"io"
	"os"
	"time"
)

// defaultGoodbye bounds how long a closed connection may go on delivering what
// was written before. If that has been delivered, it is a fifth of this.
const defaultGoodbye = 5 * time.Second

// Close ends the connection and unblocks a Read or Write in progress. It
// returns at once; what was written before is still delivered in the
// background, for at most five seconds ([Transport.Close] waits for that). It is
// idempotent.
func (c *Conn) Close() error {
	c.closeOpen()
	return nil
}

// closeOpen is Close. It tells whether the connection was open at all.
func (c *Conn) closeOpen() bool {
	c.mu.Lock()
	if c.closed || !c.opened {
		defer c.mu.Unlock()
		return c.opened
	}
	c.closed = true
	close(c.closing)
	lost := c.err != nil
	c.mu.Unlock()

	c.readDeadline.stop()
	c.writeDeadline.stop()
	c.interruptRead()
	go c.takeDown(lost) // Transport.Close waits for it
	return true
}

// takeDown ends everything that belongs to the connection.
func (c *Conn) takeDown(lost bool) {
	defer c.transport.unregister(c)
	c.reading <- struct{}{}
	c.dropRest()
	if !lost {
		c.sayGoodbye()
	}
	_ = c.pc.GracefulClose()
}

// sayGoodbye closes the channel as RFC 8831 section 6.7 has it: our stream is
// reset once all of it has arrived, and then the other node resets its own. What
// still comes from there is dropped.
func (c *Conn) sayGoodbye() {
	if err := c.channel.Close(); err != nil {
		return // the association is gone
	}
	// The reset is in the queue behind what was written, so the other node's
	// answer says that it has got everything.
	wait := c.transport.goodbye
	if c.channel.BufferedAmount() == 0 {
		// It has got everything already. Only if its reader is stuck does it
		// not answer, and then the end of DTLS tells it.
		wait /= 5
	}
	var timeout deadline
	timeout.set(time.Now().Add(wait), c.interruptRead)
	defer timeout.stop()
	small := make([]byte, 512)
	for !isClosed(timeout.done()) && !isClosed(c.failed) {
		_, err := c.channel.Read(small)
		if errors.Is(err, io.ErrShortBuffer) {
			err = c.readLarge()
			c.dropRest()
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			// The interruption is Close's, or one of those that are looked
			// at again above.
			_ = c.channel.SetReadDeadline(time.Time{})
		case err != nil:
			return
		}
	}
}
