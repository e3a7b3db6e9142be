package mux

import (
	"net"
	"sync"
)

// Session is one connection that carries channels. The caller runs Run, which
// reads; everything else may be called from any goroutine, a Receiver included.
type Session struct {
	// Static after construction.
	conn net.Conn
	cfg  Config // but for what SetLimits changes, which is guarded by mu
	done chan struct{}

	reading // owned by the read loop

	mu sync.Mutex
	// Guarded by mu.
	err     error     // why the session ended
	changed sync.Cond // broadcast at every change that anybody waits for
	active  int       // goroutines that the session has started
	reader  bool      // the read loop runs, in whatever goroutine
	channels
	outbound
}

// New makes a session on conn, which belongs to it from now on: nobody else
// writes to it or sets its write deadline. Application data is written without
// being copied if conn is a *net.TCPConn, a *net.UnixConn or a [BuffersWriter].
func New(conn net.Conn, cfg Config) *Session {
	s := &Session{conn: conn, cfg: cfg.withDefaults(), done: make(chan struct{})}
	s.decoder.MaxFrameBytes = s.cfg.MaxFrameBytes
	s.changed.L = &s.mu
	return s
}

// Run reads from the connection, and calls the receivers, until the session
// ends. It returns why it ended: io.EOF if the other side closed the connection
// between two frames, otherwise what Close was given, what a Receiver returned,
// what the connection failed with, or what was wrong with a frame. The
// connection is closed then and no receiver will be called. Run is called once,
// and once more each time that it returns ErrPaused.
func (s *Session) Run() error { return s.RunFrom(nil) }

// RunFrom is Run for a connection of which something was read already, to find
// out what is spoken on it: received comes first.
func (s *Session) RunFrom(received []byte) error {
	s.mu.Lock()
	s.reader = true
	s.mu.Unlock()
	err := s.read(received)
	if err == ErrPaused {
		return err
	}
	s.endReading(err)

	s.mu.Lock()
	defer s.mu.Unlock()
	for s.reader {
		s.changed.Wait()
	}
	return s.err
}

// Close ends the session for a reason, which may be nil and is net.ErrClosed
// then, and closes the connection. What is blocked on the session returns. The
// first reason stands; later calls do nothing. Close does not wait for Run, and
// what is queued is dropped: see Flush.
func (s *Session) Close(reason error) {
	s.mu.Lock()
	first := s.end(reason)
	s.mu.Unlock()
	if first {
		s.conn.Close()
	}
}

// end marks the session as ended. The caller, who holds mu, sees to it that the
// connection is closed if end returns true.
func (s *Session) end(reason error) bool {
	if s.err != nil {
		return false
	}
	if reason == nil {
		reason = net.ErrClosed
	}
	s.err = reason
	for _, c := range s.byID {
		c.stopAlarm()
	}
	s.channels = channels{}
	s.drop()
	s.stopTimer()
	close(s.done)
	s.changed.Broadcast()
	return true
}

// endAsync ends the session from where nothing may block; closing a TLS
// connection can. The caller holds mu.
func (s *Session) endAsync(reason error) {
	if !s.end(reason) {
		return
	}
	s.active++
	go func() {
		s.conn.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inactive()
	}()
}

// inactive says that a goroutine of the session is about to return. The caller
// holds mu.
func (s *Session) inactive() {
	s.active--
	s.changed.Broadcast()
}

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err tells why the session ended, as Run does, and is nil before.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Wait waits until no goroutine of the session is left. Before the session has
// ended new ones may start at any time. A Receiver must not call it.
func (s *Session) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.active > 0 {
		s.changed.Wait()
	}
}

func (s *Session) wake() {
	s.mu.Lock()
	s.changed.Broadcast()
	s.mu.Unlock()
}
