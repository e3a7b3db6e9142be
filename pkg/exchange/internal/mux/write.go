package mux

import (
	"net"
	"os"
	"time"
)

// BuffersWriter is implemented by a connection that writes several buffers at
// once as *net.TCPConn does, which it usually wraps. Its write deadline must
// leave the stream usable: after a write that was cut off, the number of bytes
// written is right and the next write goes on behind them.
type BuffersWriter interface {
	// WriteBuffers writes the buffers and consumes them, like net.Buffers.WriteTo.
	WriteBuffers(buffers *net.Buffers) (int64, error)
}

// Write sends p as application data, in frames of at most 64 KiB. It blocks
// while the connection is congested, and while anything is queued. Writes of
// one channel do not mix.
//
// After the write deadline it returns os.ErrDeadlineExceeded and the number of
// bytes that were taken; a frame that was begun is taken as a whole, its rest
// is written when there is room. Other errors are those of Send, and what the
// connection failed with.
func (c *Channel) Write(p []byte) (int, error) {
	s := c.session
	s.mu.Lock()
	defer s.mu.Unlock()
	for c.busy {
		if err := c.writable(); err != nil {
			return 0, err
		}
		s.changed.Wait()
	}
	c.busy = true
	defer func() {
		c.busy = false
		s.changed.Broadcast()
	}()
	if err := c.writable(); err != nil {
		return 0, err
	}
	s.detached = true
	gathers := gathers(s.conn)
	for n := 0; n < len(p); {
		if err := c.open(); err != nil {
			return n, err
		}
		frame := p[n:min(len(p), n+maxDataFrame)]
		var taken int
		var err error
		if gathers {
			taken, err = c.writeDirect(frame)
		} else {
			taken, err = c.writeCopy(frame)
		}
		n += taken
		if err == nil && n < len(p) {
			err = c.writable()
		}
		if err != nil {
			return n, err
		}
	}
	return len(p), nil
}

// writable tells whether a Write may go on.
func (c *Channel) writable() error {
	if err := c.sendable(); err != nil {
		return err
	}
	if c.session.mute != nil {
		return c.session.mute
	}
	if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// SetWriteDeadline sets when Writes in progress and to come give up. The zero
// time means never.
func (c *Channel) SetWriteDeadline(t time.Time) {
	s := c.session
	s.mu.Lock()
	defer s.mu.Unlock()
	c.deadline = t
	if s.direct == c {
		s.setDeadline(t)
	}
	c.stopAlarm()
	if !t.IsZero() && s.err == nil && !c.closed {
		if c.alarm == nil {
			c.alarm = time.AfterFunc(time.Until(t), s.wake)
		} else {
			c.alarm.Reset(time.Until(t))
		}
	}
	s.changed.Broadcast()
}

func (c *Channel) stopAlarm() {
	if c.alarm != nil {
		c.alarm.Stop()
	}
}

// vector is what a gathering write needs beyond the payload.
type vector struct {
	head    [maxHeaderBytes]byte
	parts   [2][]byte
	buffers net.Buffers
}

// writeDirect writes a frame from the caller's goroutine, without copying it.
// The caller holds mu, which is given up while writing.
func (c *Channel) writeDirect(payload []byte) (int, error) {
	s := c.session
	for s.writing || s.pending() {
		s.unhold()
		s.changed.Wait()
		if err := c.writable(); err != nil {
			return 0, err
		}
	}
	s.writing, s.direct = true, c
	s.setDeadline(c.deadline)
	if s.vector == nil {
		s.vector = new(vector)
	}
	v := s.vector
	head := AppendHeader(v.head[:0], Header{ID: c.id, Type: TypeData, Len: len(payload)})
	v.parts = [2][]byte{head, payload}
	v.buffers = v.parts[:]

	s.mu.Unlock()
	written, err := s.writeBuffers(&v.buffers)
	s.mu.Lock()

	v.parts = [2][]byte{}
	s.writing, s.direct = false, nil
	s.progress = time.Now()
	defer s.changed.Broadcast()
	defer s.kick()
	switch {
	case err == nil:
		return len(payload), nil
	case s.err != nil:
		return 0, net.ErrClosed
	case !os.IsTimeout(err):
		s.goMute(err)
		return 0, err
	case written == 0:
		return 0, c.writable()
	}
	rest := newDataFrame(c)
	if n := int(written); n < len(head) {
		rest.b = append(append(rest.b, head[n:]...), payload...)
	} else {
		rest.b = append(rest.b, payload[n-len(head):]...)
	}
	s.rest = rest
	return len(payload), nil
}

func (s *Session) writeBuffers(b *net.Buffers) (int64, error) {
	if w, ok := s.conn.(BuffersWriter); ok {
		return w.WriteBuffers(b)
	}
	return b.WriteTo(s.conn)
}

// gathers tells whether conn writes several buffers in one go.
func gathers(conn net.Conn) bool {
	switch conn.(type) {
	case BuffersWriter, *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}
