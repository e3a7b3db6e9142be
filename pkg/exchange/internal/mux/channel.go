package mux

import (
	"sync/atomic"
	"time"
)

// Channel is a shared stream: our half, which it sends on, and the other
// side's, which goes to its Receiver.
type Channel struct {
	// Static after construction.
	session  *Session
	name     string
	receiver Receiver // may be nil
	id       uint64   // of our half

	deaf atomic.Bool // Close was called: nothing more is received

	// Guarded by session.mu.
	in       half
	out      half
	closed   bool
	busy     bool   // a Write is in progress
	peerID   uint64 // of the other side's half, once that is open
	deadline time.Time
	alarm    *time.Timer // wakes a Write that waits when the deadline passes
}

// half is the state of one direction of a channel.
type half uint8

const (
	expected half = iota // no open frame yet
	opened
	over
)

// End ends our half: an end frame follows what was sent before, if the half was
// opened at all, and nothing comes after it. The other side's half stays.
func (c *Channel) End() {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	c.end()
}

func (c *Channel) end() {
	wasOpen := c.out == opened
	c.outOver()
	if wasOpen && c.session.err == nil {
		_ = enqueue(c, TypeEnd, "") // a queue that is full ends the session
	}
}

// outOver ends our half: nothing but an end frame may still be sent on it.
func (c *Channel) outOver() {
	s := c.session
	c.out = over
	s.withdraw(c)
	s.forgetIfOver(c)
	s.changed.Broadcast()
}

// Close ends our half as End does and forgets the other side's: what arrives on
// it is skipped, and End of the Receiver is not called. A Receive in progress
// goes on. The name is free for another channel.
func (c *Channel) Close() {
	s := c.session
	c.deaf.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.closed = true
	c.end()
	s.inOver(c)
	c.stopAlarm()
}

// Abort is Close for a node of this module, which learns of it even if nothing was
// sent on our half yet.
func (c *Channel) Abort() {
	c.session.mu.Lock()
	if c.sendable() == nil {
		_ = c.open() // a queue that is full ends the session
	}
	c.session.mu.Unlock()
	c.Close()
}

// notifyEnd tells the receiver of a channel, which may be nil, that the other
// side's half is over.
func (c *Channel) notifyEnd() {
	if c != nil && c.receiver != nil && !c.deaf.Load() {
		c.receiver.End()
	}
}
