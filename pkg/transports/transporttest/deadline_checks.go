package transporttest

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

func deadlineUnblocksRead(t *testing.T, c ends) {
	read := async(func() (int, error) { return c.a.Read(make([]byte, 1)) })
	c.a.SetReadDeadline(time.Now().Add(settle))
	if got := <-read; !errors.Is(got.err, os.ErrDeadlineExceeded) {
		t.Errorf("Read = %d, %v; want os.ErrDeadlineExceeded", got.value, got.err)
	}
	if _, err := c.a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read once more: %v, want os.ErrDeadlineExceeded", err)
	}
}

// deadlineUnblocksWrite sets a deadline before the writes, and one while they
// are blocked.
func deadlineUnblocksWrite(t *testing.T, c ends) {
	c.a.SetWriteDeadline(time.Now().Add(time.Hour))
	write := async(func() (int, error) { return 0, flood(c.a) })
	<-time.After(settle)
	c.a.SetWriteDeadline(time.Now().Add(settle))
	if got := <-write; !errors.Is(got.err, os.ErrDeadlineExceeded) {
		t.Errorf("Write: %v, want os.ErrDeadlineExceeded", got.err)
	}
	if _, err := c.a.Write([]byte{0}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write once more: %v, want os.ErrDeadlineExceeded", err)
	}
}

func deadlineInTimeIsHarmless(t *testing.T, c ends) {
	c.a.SetDeadline(time.Now().Add(time.Hour))
	roundTrip(t, c)
	c.a.SetDeadline(time.Time{})
	roundTrip(t, c)
}

func readGoesOnAfterDeadline(t *testing.T, c ends) {
	deadlineUnblocksRead(t, c)
	if _, err := c.a.Write([]byte{0}); err != nil {
		t.Errorf("Write after the read deadline: %v", err)
	}
	if _, err := io.ReadFull(c.b, make([]byte, 1)); err != nil {
		t.Errorf("Read by the other side: %v", err)
	}
	c.a.SetReadDeadline(time.Time{})
	roundTrip(t, c)
}

func writeGoesOnAfterDeadline(t *testing.T, c ends) {
	c.a.SetWriteDeadline(time.Now().Add(-time.Second))
	if n, err := c.a.Write([]byte{0}); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write = %d, %v; want 0, os.ErrDeadlineExceeded", n, err)
	}
	c.a.SetWriteDeadline(time.Time{})
	roundTrip(t, c)
}

// timedOutWriteArrives checks that the count of a Write that timed out is true,
// and that what it counts arrives without another Write.
func timedOutWriteArrives(t *testing.T, c ends) {
	sent := fill(t, c.a)
	got := make([]byte, sent)
	if _, err := io.ReadFull(c.b, got); err != nil {
		t.Fatalf("read the %d bytes that were written before the deadline: %v", sent, err)
	}
	for i, b := range got {
		if b != pattern(i) {
			t.Fatalf("byte %d of %d is not what was written", i, sent)
		}
	}
	roundTrip(t, c)
}

// fill writes until the other side, which does not read, lets no more in. It
// returns how much was written.
func fill(t *testing.T, w net.Conn) int {
	t.Helper()
	sent := 0
	piece := make([]byte, 10_000)
	for {
		for i := range piece {
			piece[i] = pattern(sent + i)
		}
		w.SetWriteDeadline(time.Now().Add(settle))
		n, err := w.Write(piece)
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			t.Fatalf("Write after %d bytes: %v, want os.ErrDeadlineExceeded", sent, err)
		}
	}
	w.SetWriteDeadline(time.Time{})
	return sent
}

func pattern(i int) byte { return byte(i * 31 / 7) }
