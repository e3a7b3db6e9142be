package mux

import (
	"context"
	"fmt"
	"net"
	"time"
)

// outbound is the writing side of a session. Bytes leave in this order: the
// rest of a data frame that was begun, what is queued, the next data frame.
// Whoever sets writing is the only one who writes until it is cleared.
type outbound struct {
	writing bool
	rest    *dataFrame // what a deadline cut off
	queue   *buffer    // whole frames, nil when there are none
	queued  int        // bytes of the queue, and of the one being written
	data    *dataFrame // for the flusher to write
	flusher func()     // flush, made once so that starting it does not allocate

	holding  bool      // the read loop will flush what is queued
	inline   bool      // the read loop is writing
	detached bool      // the application sends data: the read loop must not write
	progress time.Time // when queued bytes began to wait, or some were last written
	timer    timer     // runs overdue

	mute error // what writing failed with, see goMute

	vector   *vector
	direct   *Channel  // whose Write is writing to the connection itself
	deadline time.Time // set on the connection
}

// drop lets go of what will not be written any more.
func (o *outbound) drop() {
	recycleQueue(o.queue)
	o.queue, o.rest, o.data = nil, nil, nil
}

// pending tells whether anything waits for a writer.
func (o *outbound) pending() bool {
	return o.rest != nil || o.queue != nil || o.data != nil
}

// SendMagic queues bytes that are no frame: what a generation of the protocol
// puts before the first one. It is called before anything is sent, and before Run or
// after Hold, so that it leaves in one write with the first frames: @roamhq/wrtc may
// hand the first message of a data channel to a client after others.
func (s *Session) SendMagic(magic []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && s.mute == nil {
		q := s.queueBuffer()
		q.b = append(q.b, magic...)
		s.queued += len(magic)
		s.progress = time.Now()
	}
}

// Send queues p as one frame, after the open frame if it is the channel's
// first. It copies p and does not block; an empty p is nothing. If the queue is
// full the session ends with ErrSlowPeer, which is returned, and a p that no
// queue could take is ErrFrameTooLarge. After End it is ErrChannelEnded, after
// Close and after the session's end net.ErrClosed.
func (c *Channel) Send(p []byte) error {
	s := c.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := c.sendable(); err != nil {
		return err
	}
	if len(p) == 0 {
		return nil
	}
	if limit := s.cfg.MaxQueueBytes; limit >= 0 && len(p)+maxHeaderBytes > limit {
		return fmt.Errorf("send %d bytes: %w", len(p), ErrFrameTooLarge)
	}
	if err := c.open(); err != nil {
		return err
	}
	return enqueue(c, TypeData, p)
}

// sendable tells whether our half still takes anything.
func (c *Channel) sendable() error {
	switch {
	case c.session.err != nil || c.closed:
		return net.ErrClosed
	case c.out == over:
		return ErrChannelEnded
	}
	return nil
}

// open queues the open frame if it has not been sent.
func (c *Channel) open() error {
	if c.out != expected {
		return nil
	}
	c.out = opened
	return enqueue(c, TypeOpen, c.name)
}

// enqueue adds a frame to the queue and sees to it that it leaves. The caller
// holds mu. A queue that overflows ends the session. A mute session takes all
// and sends nothing.
func enqueue[P string | []byte](c *Channel, t Type, payload P) error {
	if c.session.mute != nil {
		return nil
	}
	q := c.session.queueBuffer()
	before := len(q.b)
	q.b = appendFrame(q.b, c.id, t, payload)
	return c.session.enqueued(len(q.b) - before)
}

func (s *Session) queueBuffer() *buffer {
	if s.queue == nil {
		s.queue = queueBuffers.Get().(*buffer)
	}
	return s.queue
}

// enqueued accounts for n bytes that were added to the queue.
func (s *Session) enqueued(n int) error {
	if s.queued == 0 {
		s.progress = time.Now()
	}
	s.queued += n
	if limit := s.cfg.MaxQueueBytes; limit >= 0 && s.queued > limit {
		s.endAsync(fmt.Errorf("%d bytes wait to be written, limit %d: %w", s.queued, limit, ErrSlowPeer))
		return ErrSlowPeer
	}
	s.setTimer(s.patience())
	s.kick()
	return nil
}

// Flush waits until everything that was sent before has been written to the
// connection. It returns ctx's error if that comes first, and net.ErrClosed if
// the session ends. A Receiver must not call it.
func (s *Session) Flush(ctx context.Context) error {
	defer context.AfterFunc(ctx, s.wake)()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && (s.queued > 0 || s.writing || s.pending()) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("flush: %w", err)
		}
		s.changed.Wait()
	}
	if s.err != nil || s.mute != nil {
		return net.ErrClosed
	}
	return nil
}
