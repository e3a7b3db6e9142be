package memory

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// buffer is one direction of a connection: a bounded ring of bytes that were
// written and not yet read.
type buffer struct {
	mu   sync.Mutex
	cond sync.Cond // everything below changes
	// Guarded by mu.
	ring       []byte // allocated by the first write
	size       int    // of ring
	start, len int
	reader     half
	writer     half
}

// half is one end of a buffer.
type half struct {
	closed   bool
	deadline time.Time
	timer    *time.Timer // wakes who waits when the deadline passes
}

func (h *half) passed() bool { return !h.deadline.IsZero() && !time.Now().Before(h.deadline) }

func newBuffer(size int) *buffer {
	b := &buffer{size: size}
	b.cond.L = &b.mu
	return b
}

func (b *buffer) read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.reader.closed:
			return 0, net.ErrClosed
		case b.reader.passed():
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case b.len > 0:
			return b.takeLocked(p), nil
		case b.writer.closed:
			return 0, io.EOF
		}
		b.cond.Wait()
	}
}

func (b *buffer) takeLocked(p []byte) int {
	n := copy(p, b.ring[b.start:min(b.start+b.len, b.size)])
	if n < len(p) && n < b.len {
		n += copy(p[n:], b.ring[:b.len-n])
	}
	b.start = (b.start + n) % b.size
	b.len -= n
	b.cond.Broadcast()
	return n
}

func (b *buffer) write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	written := 0
	for {
		switch {
		case b.writer.closed:
			return written, net.ErrClosed
		case b.writer.passed():
			return written, os.ErrDeadlineExceeded
		case b.reader.closed:
			return written, syscall.EPIPE
		case written == len(p):
			return written, nil
		case b.len < b.size:
			written += b.putLocked(p[written:])
			continue
		}
		b.cond.Wait()
	}
}

func (b *buffer) putLocked(p []byte) int {
	if b.ring == nil {
		b.ring = make([]byte, b.size)
	}
	total := 0
	for len(p) > 0 && b.len < b.size {
		end := (b.start + b.len) % b.size
		n := copy(b.ring[end:min(end+b.size-b.len, b.size)], p)
		p = p[n:]
		b.len += n
		total += n
	}
	b.cond.Broadcast()
	return total
}

// setDeadline moves the deadline of one half.
func (b *buffer) setDeadline(h *half, t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h.closed {
		return net.ErrClosed
	}
	h.deadline = t
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		h.timer = time.AfterFunc(wait, b.wake)
	}
	b.cond.Broadcast()
	return nil
}

// wake makes those who wait look at their deadline again.
func (b *buffer) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cond.Broadcast()
}

// close closes one half: the writer's leaves what was written to be read.
func (b *buffer) close(h *half) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h.closed = true
	if h.timer != nil {
		h.timer.Stop()
	}
	if b.reader.closed {
		b.ring, b.len = nil, 0
	}
	b.cond.Broadcast()
}
