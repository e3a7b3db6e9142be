package mux

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// recorder is a Receiver that keeps everything. Its fields are read when the
// session is not calling it: after synctest.Wait or the session's end.
type recorder struct {
	got  []byte
	ends int
}

func (r *recorder) Receive(p []byte) error { r.got = append(r.got, p...); return nil }
func (r *recorder) End()                   { r.ends++ }

// testSession is a session that runs.
type testSession struct {
	*Session
	ran chan error
}

// record registers a channel and records what it receives.
func (s *testSession) record(t testing.TB, name string) *recorder {
	t.Helper()
	r := new(recorder)
	s.channel(t, name, r)
	return r
}

func (s *testSession) channel(t testing.TB, name string, r Receiver) *Channel {
	t.Helper()
	c, err := s.Channel(name, r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantEnd waits for the session's end and checks its reason, unless that is nil.
func (s *testSession) wantEnd(t testing.TB, want error) {
	t.Helper()
	err := <-s.ran
	s.ran <- err
	if want != nil && !errors.Is(err, want) {
		t.Errorf("session ended with %v, want %v", err, want)
	}
}

// wantAlive checks that the session has not ended.
func (s *testSession) wantAlive(t testing.TB) {
	t.Helper()
	if err := s.Err(); err != nil {
		t.Errorf("session ended: %v", err)
	}
}

// advance lets virtual time pass, and what happens then happen.
func advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// rawPeer is the other side of a session, in bytes.
type rawPeer struct {
	t    testing.TB
	conn net.Conn

	mu    sync.Mutex
	got   []byte
	reads int // that got was made of
}

// newTestSession makes a session on one end of a pipe that buffers nothing and
// runs it. The raw peer reads all the time.
func newTestSession(t testing.TB, cfg Config) (*testSession, *rawPeer) {
	ours, theirs := net.Pipe()
	s := runSession(t, ours, cfg)
	p := &rawPeer{t: t, conn: theirs}
	var read sync.WaitGroup
	read.Go(func() {
		buf := make([]byte, 1<<20)
		for {
			n, err := theirs.Read(buf)
			p.mu.Lock()
			p.got = append(p.got, buf[:n]...)
			p.reads++
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	t.Cleanup(func() { theirs.Close(); read.Wait() })
	return s, p
}

// runSession runs a session until the test ends.
func runSession(t testing.TB, conn net.Conn, cfg Config) *testSession {
	s := &testSession{New(conn, cfg), make(chan error, 1)}
	go func() { s.ran <- s.Run() }()
	t.Cleanup(func() {
		s.Close(nil)
		<-s.ran
		s.Wait()
	})
	return s
}

// write sends bytes to the session, which may have ended.
func (p *rawPeer) write(b []byte) { p.conn.Write(b) }

func (p *rawPeer) send(frames ...frame) { p.write(encode(frames...)) }

// bytes is what the session has sent since it was last asked for.
func (p *rawPeer) bytes() []byte {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.got
	p.got, p.reads = nil, 0
	return b
}

// want checks what the session has sent since it was last asked.
func (p *rawPeer) want(want ...frame) {
	p.t.Helper()
	got, err := decode(p.bytes())
	if err != nil {
		p.t.Errorf("session sent: %v", err)
	}
	diffFrames(p.t, "sent", got, want)
}

// TestRunFromBeginsWithWhatWasReceived hands over a stream that was cut in the
// middle of a frame.
func TestRunFromBeginsWithWhatWasReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		s := New(ours, Config{})
		r := new(recorder)
		c, err := s.Channel("pxp", r)
		if err != nil {
			t.Fatal(err)
		}
		ran := make(chan error)
		stream := encode(frame{0, TypeOpen, "pxp"}, frame{0, TypeData, "hello"})
		go func() { ran <- s.RunFrom(stream[:8]) }()
		theirs.Write(stream[8:])
		go c.Send([]byte("x"))
		want := []frame{{0, TypeOpen, "pxp"}, {0, TypeData, "x"}}
		diffFrames(t, "sent", readFrames(t, theirs, len(encode(want...))), want)
		theirs.Close()
		if err := <-ran; err != io.EOF || string(r.got) != "hello" {
			t.Errorf("received %q, session ended with %v", r.got, err)
		}
		if err := New(ours, Config{}).RunFrom([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}); !errors.Is(err, ErrMalformed) {
			t.Errorf("malformed: %v", err)
		}
	})
}

// pausing pauses its session when it receives anything, and answers.
type pausing struct {
	recorder
	session *Session
	channel *Channel
}

func (p *pausing) Receive(b []byte) error {
	p.session.Pause()
	if err := p.recorder.Receive(b); err != nil {
		return err
	}
	return p.channel.Send(b)
}

// TestPause goes on in another goroutine after each message, which is answered
// before. Nothing is lost in between, nor the end.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := New(ours, Config{})
		r := &pausing{session: s}
		var err error
		if r.channel, err = s.Channel("pxp", r); err != nil {
			t.Fatal(err)
		}
		ran := make(chan error)
		run := func() { ran <- s.Run() }
		opened := false
		for _, message := range []string{"one", "two"} {
			go run()
			var head []frame
			if !opened {
				head, opened = []frame{{0, TypeOpen, "pxp"}}, true
			}
			want := append(head, frame{0, TypeData, message})
			go theirs.Write(encode(want...))
			diffFrames(t, "sent", readFrames(t, theirs, len(encode(want...))), want)
			if err := <-ran; err != ErrPaused {
				t.Fatalf("run returned %v", err)
			}
			if err := s.Err(); err != nil {
				t.Errorf("a paused session has ended with %v", err)
			}
		}
		go run()
		theirs.Close()
		if err := <-ran; err != io.EOF || string(r.got) != "onetwo" {
			t.Errorf("received %q, session ended with %v", r.got, err)
		}
	})
}

// TestPauseWhileRelieved pauses a session whose read loop was held up in a write,
// so that another goroutine reads: that goes on, and Run returns at the end.
func TestPauseWhileRelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := New(ours, Config{})
		r := &pausing{session: s}
		var err error
		if r.channel, err = s.Channel("pxp", r); err != nil {
			t.Fatal(err)
		}
		// What is held is written by the read loop once it has read something, and
		// nobody takes it.
		s.Hold()
		other, err := s.Channel("other", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Send([]byte("held")); err != nil {
			t.Fatal(err)
		}
		ran := make(chan error)
		go func() { ran <- s.Run() }()
		time.Sleep(2 * heldUp)
		if _, err := theirs.Write(encode(frame{0, TypeOpen, "pxp"}, frame{0, TypeData, "one"})); err != nil {
			t.Fatal(err)
		}
		if _, err := theirs.Write(encode(frame{0, TypeData, "two"})); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		select {
		case err := <-ran:
			t.Fatalf("run returned %v", err)
		default:
		}
		theirs.Close()
		<-ran
		if string(r.got) != "onetwo" {
			t.Errorf("received %q", r.got)
		}
	})
}
