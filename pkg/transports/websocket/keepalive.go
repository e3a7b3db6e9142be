package websocket

import (
	"time"

	"github.com/gorilla/websocket"
)

// maxMissed is how many pings may stay without an answer.
const maxMissed = 2

// keepAlive starts to ask the other side whether it is there, and answers what
// it asks. A timer costs an idle connection about a hundred bytes where a
// goroutine would cost kilobytes.
func (c *Conn) keepAlive() {
	c.ws.SetPongHandler(func(string) error {
		c.heardSomething()
		return nil
	})
	c.ws.SetPingHandler(func(data string) error {
		c.heardSomething()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.postLocked(websocket.PongMessage, data)
		return nil
	})
	if c.interval < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beats = time.AfterFunc(c.interval, c.beat)
}

// heardSomething makes another number of the epoch, and leaves it odd if it is.
func (c *Conn) heardSomething() { c.epoch.Add(2) }

// beat is called once in an interval.
//
// The epoch is odd while a Read waits, and another number after anything came
// in. So the same odd epoch as at the last beat means that somebody listened for
// the whole interval and heard nothing. If nobody listens there may be answers
// that nobody has read yet, and the connection stays.
func (c *Conn) beat() {
	epoch := c.epoch.Load()
	if epoch == c.heard && epoch&1 == 1 {
		c.missed++
	} else {
		c.missed = 0
	}
	c.heard = epoch
	if c.missed >= maxMissed {
		c.shut(ErrPingTimeout, 0)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed == nil {
		c.postLocked(websocket.PingMessage, "")
		c.beats.Reset(c.interval)
	}
}

// postLocked sends a ping or pong, beside reading, which must not wait for
// writing. Of each only the latest matters (RFC 6455, section 5.5.3).
func (c *Conn) postLocked(kind int, data string) {
	if c.closed != nil {
		return
	}
	if c.control == nil {
		c.control = make(map[int]string, 1)
		c.tasks.Go(c.sendControl)
	}
	c.control[kind] = data
}

// sendControl is a goroutine while there is something to send. It waits for as
// long as it takes: gorilla gives up a connection that a control message cannot
// be written to in time, but that the other side takes nothing for a while is
// no reason to.
func (c *Conn) sendControl() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.control) > 0 {
		for kind, data := range c.control {
			delete(c.control, kind)
			c.mu.Unlock()
			// An error is that of the connection, which Read or Write returns.
			_ = c.ws.WriteControl(kind, []byte(data), time.Time{})
			c.mu.Lock()
		}
	}
	c.control = nil
}
