package webrtc

import (
	"io"
	"os"
	"sync"
	"testing"
	"time"
)

// fakeChannel is a data channel whose other node is the test. Like pion's it
// keeps a message that does not fit the reader's buffer, and a deadline in the
// past stays until it is taken back.
type fakeChannel struct {
	mu       sync.Mutex
	changed  sync.Cond
	incoming [][]byte
	readErr  error
	expired  bool
	sent     [][]byte
	buffered uint64
	low      uint64
	onLow    func()
	writeErr error
}

func newFakeChannel() *fakeChannel {
	f := &fakeChannel{}
	f.changed.L = &f.mu
	return f
}

func (f *fakeChannel) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		if len(f.incoming) > 0 {
			message := f.incoming[0]
			if len(message) > len(p) {
				return 0, io.ErrShortBuffer
			}
			f.incoming = f.incoming[1:]
			return copy(p, message), nil
		}
		if f.readErr != nil {
			return 0, f.readErr
		}
		if f.expired {
			return 0, os.ErrDeadlineExceeded
		}
		f.changed.Wait()
	}
}

func (f *fakeChannel) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.writeErr != nil {
		return 0, f.writeErr
	}
	f.sent = append(f.sent, append([]byte(nil), p...))
	f.buffered += uint64(len(p))
	return len(p), nil
}

func (f *fakeChannel) Close() error { return nil }

func (f *fakeChannel) SetReadDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.expired = !t.IsZero()
	f.changed.Broadcast()
	return nil
}

func (f *fakeChannel) BufferedAmount() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.buffered
}

func (f *fakeChannel) SetBufferedAmountLowThreshold(bytes uint64) { f.low = bytes }
func (f *fakeChannel) OnBufferedAmountLow(fn func())              { f.onLow = fn }

// acknowledge takes bytes out of the send buffer.
func (f *fakeChannel) acknowledge(bytes uint64) {
	f.mu.Lock()
	before := f.buffered
	f.buffered -= bytes
	crossed := before > f.low && f.buffered <= f.low
	f.mu.Unlock()
	if crossed {
		f.onLow()
	}
}

// arrive hands over a message of the other node.
func (f *fakeChannel) arrive(messages ...[]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.incoming = append(f.incoming, messages...)
	f.changed.Broadcast()
}

// finish ends the incoming half.
func (f *fakeChannel) finish(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readErr = err
	f.changed.Broadcast()
}

func (f *fakeChannel) messages() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sent)
}

// openFake returns a connection over a fake channel.
func openFake(t *testing.T, cfg Config, remoteMax int) (*Conn, *fakeChannel) {
	t.Helper()
	transport := New(cfg)
	pc, err := transport.newPeerConnection(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(transport)
	c.pc = pc
	if !transport.register(c, c.fail) {
		t.Fatal("transport is closed")
	}
	f := newFakeChannel()
	if err := c.open(f, nil, nil, remoteMax); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.finish(io.EOF)
		c.Close()
		transport.Close()
	})
	return c, f
}
