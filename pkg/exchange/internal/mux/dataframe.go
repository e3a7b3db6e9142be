package mux

import (
	"net"
	"sync"
)

// dataFrame is a frame of application data, or the rest of one, for the flusher
// to write. Its Write, which waits, and the flusher share it under the
// session's lock.
type dataFrame struct {
	b         []byte
	channel   *Channel
	state     frameState
	abandoned bool // its Write does not wait any more
}

type frameState uint8

const (
	frameWaiting frameState = iota
	frameTaken              // by the flusher
	frameWritten
	frameRefused // the channel ended before, or the write failed
)

var dataFrames = sync.Pool{New: func() any {
	return &dataFrame{b: make([]byte, 0, maxDataFrame+maxHeaderBytes)}
}}

func newDataFrame(c *Channel) *dataFrame {
	f := dataFrames.Get().(*dataFrame)
	*f = dataFrame{b: f.b[:0], channel: c}
	return f
}

func (f *dataFrame) recycle() {
	f.channel = nil
	dataFrames.Put(f)
}

// finish tells how the write went.
func (f *dataFrame) finish(err error) {
	f.state = frameWritten
	if err != nil {
		f.state = frameRefused
	}
	if f.abandoned {
		f.recycle()
	}
}

// writeCopy has the flusher write a frame, for a connection that needs header
// and payload in one piece and that no deadline may cut off. The caller holds
// mu, which is given up meanwhile.
func (c *Channel) writeCopy(payload []byte) (int, error) {
	s := c.session
	f := newDataFrame(c)
	s.mu.Unlock()
	f.b = appendFrame(f.b, c.id, TypeData, payload)
	s.mu.Lock()
	defer func() {
		if f.state == frameTaken {
			f.abandoned = true
		} else {
			f.recycle()
		}
	}()
	for s.data != nil {
		if err := c.writable(); err != nil {
			return 0, err
		}
		s.changed.Wait()
	}
	if err := c.writable(); err != nil {
		return 0, err
	}
	s.data = f
	s.unhold()
	for f.state != frameWritten {
		switch err := c.writable(); {
		case err == nil && f.state != frameRefused:
			s.changed.Wait()
		case err == nil || s.err != nil:
			return 0, net.ErrClosed
		case f.state == frameTaken:
			return len(payload), nil
		default:
			s.withdraw(c)
			return 0, err
		}
	}
	return len(payload), nil
}

// withdraw takes back a frame of c that is not being written yet.
func (s *Session) withdraw(c *Channel) {
	if f := s.data; f != nil && f.channel == c {
		f.state = frameRefused
		s.data = nil
		s.changed.Broadcast()
	}
}
