package exchange

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
)

// stream is one channel as a byte stream for a reader and a writer: the
// application data of a Peer. The session's read loop fills it.
//
// What the reader has not taken yet is bounded in one of two ways. Without
// credit, the read loop waits, and with it the whole connection: all that can be
// done with a node that does not know better. With credit, the other node sends
// only what was granted, so the read loop never waits.
type stream struct {
	// Static after construction.
	limit   int             // bytes held for the reader
	discard bool            // drop what arrives
	strict  bool            // what exceeds the limit is an error, with or without credit
	grant   func(bytes int) // tells the other node of credit; called without mu
	channel *mux.Channel    // set by bind

	mu      sync.Mutex
	changed sync.Cond // anything that a reader, the read loop or a writer waits for; uses mu
	// Guarded by mu.
	buf          receiveBuffer
	into         []byte // what is left of a waiting reader's buffer, nil if none waits
	ended        bool   // the other node ended its half
	err          error  // the stream is over, for reading once buf is empty
	writeErr     error  // writing is over, reading goes on
	closed       bool   // closed by this side
	opened       bool   // may be written to
	readTimeout  deadline
	writeTimeout deadline
	credited     bool // both nodes know credit
	credit       int  // bytes that may be sent
	taken        int  // bytes read since the last grant
}

func newStream(limit int, discard bool, grant func(int)) *stream {
	s := &stream{limit: limit, discard: discard, grant: grant}
	s.changed.L = &s.mu
	return s
}

// bind gives the stream the channel that it writes to. Called before anything
// else.
func (s *stream) bind(channel *mux.Channel) { s.channel = channel }

// open lets writers write. With credit, window is what the other node takes
// before it grants more.
func (s *stream) open(credited bool, window int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = true
	s.credited, s.credit = credited, window
	s.changed.Broadcast()
}

// addCredit adds what the other node granted. A node cannot be owed more than a
// window of at most 1 GiB, so a larger sum is a mistake or worse.
func (s *stream) addCredit(bytes int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.credited || bytes < 0 || bytes > 1<<30 || int64(s.credit)+bytes > 1<<30 {
		return fmt.Errorf("%w: credit of %d bytes", ErrProtocol, bytes)
	}
	s.credit += int(bytes)
	s.changed.Broadcast()
	return nil
}

// Receive implements mux.Receiver.
func (s *stream) Receive(p []byte) error {
	if s.discard {
		s.drop(len(p))
		return nil
	}
	served, err := s.receive(p)
	if served {
		// The reader that was waiting goes first: it comes back with its buffer, and
		// what is read from the connection next is copied once, not twice.
		runtime.Gosched()
	}
	return err
}

// drop counts what is discarded as read, so that the other node may send on.
func (s *stream) drop(n int) {
	s.mu.Lock()
	grant := s.take(n)
	s.mu.Unlock()
	if grant > 0 {
		s.grant(grant)
	}
}

// receive takes all of p, and tells whether some of it went to a waiting reader.
func (s *stream) receive(p []byte) (served bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(p) > 0 && !s.closed && s.err == nil {
		if n := copy(s.into, p); n > 0 {
			s.into = s.into[n:]
			p = p[n:]
			served = true
			s.changed.Broadcast()
			continue
		}
		room := s.limit - s.buf.len()
		if s.limit < 0 {
			room = len(p)
		}
		if room < len(p) && (s.credited || s.strict) {
			return served, fmt.Errorf("%w: more data than was agreed", ErrProtocol)
		}
		if room <= 0 {
			s.changed.Wait()
			continue
		}
		n := min(room, len(p))
		s.buf.write(p[:n])
		p = p[n:]
		s.changed.Broadcast()
	}
	return served, nil
}

// End implements mux.Receiver.
func (s *stream) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.changed.Broadcast()
}

// fail ends the stream from below: readers get what is held and then err.
func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.readTimeout.stop()
	s.writeTimeout.stop()
	s.changed.Broadcast()
}

// stopWriting ends the writing side for a reason.
func (s *stream) stopWriting(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeErr = reason
	s.changed.Broadcast()
}

// close ends the stream from above: nothing is read or written any more. The
// channel is not ended, as the connection is about to be: a npm node answers the
// end of a channel, and tells its application of an error if the connection is
// gone by then.
func (s *stream) close() {
	s.mu.Lock()
	s.closed = true
	s.buf.drop()
	s.readTimeout.stop()
	s.writeTimeout.stop()
	s.changed.Broadcast()
	s.mu.Unlock()
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	n, err := s.readLocked(p)
	grant := s.take(n)
	s.mu.Unlock()
	if grant > 0 {
		s.grant(grant)
	}
	return n, err
}

func (s *stream) readLocked(p []byte) (int, error) {
	for {
		switch {
		case s.closed:
			return 0, net.ErrClosed
		case s.readTimeout.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case s.buf.len() > 0:
			n := s.buf.read(p)
			s.changed.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		case s.err != nil:
			return 0, s.err
		case s.into != nil: // another reader is first
			s.changed.Wait()
		default:
			if n := s.waitInto(p); n > 0 {
				return n, nil
			}
		}
	}
}

// waitInto has the read loop copy straight into p what comes next, and returns
// how much that was: none if something else happened.
func (s *stream) waitInto(p []byte) int {
	s.into = p
	s.changed.Wait()
	n := len(p) - len(s.into)
	s.into = nil
	return n
}

// take counts n bytes as read and returns what to grant: nothing until half a
// window is due, so that grants are rare.
func (s *stream) take(n int) int {
	if !s.credited || s.ended || s.err != nil {
		return 0
	}
	s.taken += n
	if s.limit > 0 && s.taken < s.limit/2 {
		return 0
	}
	grant := s.taken
	s.taken = 0
	return grant
}

func (s *stream) write(p []byte) (int, error) {
	var written int
	for {
		channel, n, err := s.reserve(len(p) - written)
		if err != nil || channel == nil {
			return written, err
		}
		sent, err := channel.Write(p[written : written+n])
		written += sent
		s.giveBack(n - sent)
		if err != nil {
			return written, s.writeError(err)
		}
		if written == len(p) {
			return written, nil
		}
	}
}

// reserve waits until some of want bytes may be written, and takes the credit
// for them. Nothing to write, nothing wrong: a nil channel.
func (s *stream) reserve(want int) (*mux.Channel, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed:
			return nil, 0, net.ErrClosed
		case s.err != nil:
			return nil, 0, writeEnd(s.err)
		case s.writeErr != nil:
			return nil, 0, s.writeErr
		case s.writeTimeout.passed:
			return nil, 0, os.ErrDeadlineExceeded
		case want == 0:
			return nil, 0, nil
		case s.opened && !s.credited:
			return s.channel, want, nil
		case s.opened && s.credit > 0:
			n := min(want, s.credit)
			s.credit -= n
			return s.channel, n, nil
		}
		s.changed.Wait()
	}
}

func (s *stream) giveBack(n int) {
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.credited {
		s.credit += n
	}
}

// writeError prefers why the stream ended to what a write of it ran into.
func (s *stream) writeError(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return net.ErrClosed
	case s.err != nil:
		return writeEnd(s.err)
	}
	return err
}

// writeEnd is what a writer is told of a connection's end: the end of the other
// node's bytes is no success for one who has more to send.
func writeEnd(err error) error {
	if err == io.EOF {
		return io.ErrClosedPipe
	}
	return err
}
