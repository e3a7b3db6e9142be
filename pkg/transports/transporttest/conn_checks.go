package transporttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"
)

const (
	// bigBytes is far more than any transport buffers.
	bigBytes = 4 << 20

	// settle is long enough for a Write that does not block to be through. Only
	// how much a check finds out depends on it, not whether it fails.
	settle = 50 * time.Millisecond
)

// ends are the two ends of a connection. The end under test is a.
type ends struct{ a, b net.Conn }

var connChecks = []check[ends]{
	{"CarriesBothWaysInOrder", carriesBothWaysInOrder},
	{"CarriesSmallWrites", carriesSmallWrites},
	{"EmptyWriteIsHarmless", emptyWriteIsHarmless},
	{"EndsAfterWhatWasWritten", endsAfterWhatWasWritten},
	{"CloseIsIdempotent", closeIsIdempotent},
	{"CloseUnblocksRead", closeUnblocksRead},
	{"CloseUnblocksWrite", closeUnblocksWrite},
	{"OtherSidesCloseEndsWrite", otherSidesCloseEndsWrite},
	{"CloseWriteDeliversWhatWasWritten", closeWriteDelivers},
	{"DeadlineUnblocksRead", deadlineUnblocksRead},
	{"DeadlineUnblocksWrite", deadlineUnblocksWrite},
	{"DeadlineInTimeIsHarmless", deadlineInTimeIsHarmless},
	{"MethodsMayBeConcurrent", methodsMayBeConcurrent},
	{"HasAddresses", hasAddresses},
}

// goOnChecks are for connections that deadlines do not end.
var goOnChecks = []check[ends]{
	{"ReadGoesOnAfterDeadline", readGoesOnAfterDeadline},
	{"WriteGoesOnAfterDeadline", writeGoesOnAfterDeadline},
	{"TimedOutWriteArrives", timedOutWriteArrives},
}

func carriesBothWaysInOrder(t *testing.T, c ends) {
	errs := []<-chan result[int]{
		async(func() (int, error) { return 0, sendBig(c.a, 1) }),
		async(func() (int, error) { return 0, sendBig(c.b, 2) }),
		async(func() (int, error) { return 0, receiveBig(c.b, 1) }),
		async(func() (int, error) { return 0, receiveBig(c.a, 2) }),
	}
	for _, err := range errs {
		if err := (<-err).err; err != nil {
			t.Error(err)
		}
	}
}

// sendBig writes a known stream in pieces of all sizes.
func sendBig(w io.Writer, seed byte) error {
	sizes := rand.New(rand.NewPCG(0, uint64(seed)))
	data := stream(seed)
	for len(data) > 0 {
		n := min(len(data), 1+sizes.IntN(200<<10))
		if wrote, err := w.Write(data[:n]); err != nil || wrote != n {
			return fmt.Errorf("write %d bytes: wrote %d: %w", n, wrote, err)
		}
		data = data[n:]
	}
	return nil
}

func receiveBig(r io.Reader, seed byte) error {
	sizes := rand.New(rand.NewPCG(1, uint64(seed)))
	data := stream(seed)
	buf := make([]byte, 100<<10)
	for got := 0; got < len(data); {
		n, err := r.Read(buf[:1+sizes.IntN(len(buf))])
		if !bytes.Equal(buf[:n], data[got:min(len(data), got+n)]) {
			return fmt.Errorf("bytes %d to %d are not what was written", got, got+n)
		}
		got += n
		if err != nil {
			return fmt.Errorf("read after %d bytes: %w", got, err)
		}
	}
	return nil
}

// stream is bigBytes of noise.
func stream(seed byte) []byte {
	data := make([]byte, bigBytes)
	rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

func carriesSmallWrites(t *testing.T, c ends) {
	const writes = 2000
	wrote := async(func() (int, error) {
		for i := range writes {
			if _, err := c.a.Write([]byte{byte(i), byte(i >> 8)}); err != nil {
				return i, err
			}
		}
		return writes, nil
	})
	got := make([]byte, 2*writes)
	if _, err := io.ReadFull(c.b, got); err != nil {
		t.Errorf("read: %v", err)
	}
	for i := range writes {
		if got[2*i] != byte(i) || got[2*i+1] != byte(i>>8) {
			t.Errorf("write %d is not at its place", i)
			break
		}
	}
	if err := (<-wrote).err; err != nil {
		t.Errorf("write: %v", err)
	}
}

func emptyWriteIsHarmless(t *testing.T, c ends) {
	if n, err := c.a.Write(nil); n != 0 || err != nil {
		t.Errorf("Write(nil) = %d, %v; want 0, nil", n, err)
	}
	roundTrip(t, c)
}

func endsAfterWhatWasWritten(t *testing.T, c ends) {
	want := stream(3)[:100<<10]
	wrote := async(func() (int, error) {
		n, err := c.a.Write(want)
		return n, errors.Join(err, c.a.Close())
	})
	got, err := io.ReadAll(c.b)
	if err != nil {
		t.Errorf("read to the end: %v, want io.EOF", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("read %d bytes before the end, want the %d that were written", len(got), len(want))
	}
	if err := (<-wrote).err; err != nil {
		t.Errorf("write and close: %v", err)
	}
}

func closeIsIdempotent(t *testing.T, c ends) {
	if err := c.a.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := c.a.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("second Close: %v, want nil or net.ErrClosed", err)
	}
	if _, err := c.a.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("Read after Close: %v, want an error other than io.EOF", err)
	}
	if _, err := c.a.Write([]byte{1}); err == nil {
		t.Error("Write after Close succeeds")
	}
}

func closeUnblocksRead(t *testing.T, c ends) {
	read := async(func() (int, error) { return c.a.Read(make([]byte, 1)) })
	c.a.Close()
	if got := <-read; got.err == nil {
		t.Errorf("Read = %d, nil; want an error", got.value)
	}
}

func closeUnblocksWrite(t *testing.T, c ends) {
	write := async(func() (int, error) { return 0, flood(c.a) })
	<-time.After(settle)
	c.a.Close()
	<-write
}

// flood writes until an error comes.
func flood(w io.Writer) error {
	for {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return err
		}
	}
}

func otherSidesCloseEndsWrite(t *testing.T, c ends) {
	write := async(func() (int, error) { return 0, flood(c.a) })
	// Someone has to read for a transport to notice.
	read := async(func() (int64, error) { return io.Copy(io.Discard, c.a) })
	c.b.Close()
	if err := (<-write).err; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write: %v, though no deadline was set", err)
	}
	<-read
}

// closeWriteDelivers ends one direction, if the connection can, while the other
// is in use. Where the other side's answer to that ends the other direction too,
// its writes fail from then on.
func closeWriteDelivers(t *testing.T, c ends) {
	half, ok := c.a.(interface{ CloseWrite() error })
	if !ok {
		return
	}
	over := make(chan struct{})
	chatter := async(func() (int, error) {
		for {
			select {
			case <-over:
				return 0, nil
			default:
			}
			if _, err := c.b.Write([]byte("meanwhile")); err != nil {
				return 0, err
			}
		}
	})
	heard := async(func() (int64, error) { return io.Copy(io.Discard, c.a) })
	want := stream(4)
	wrote := async(func() (int, error) {
		n, err := c.a.Write(want)
		return n, errors.Join(err, half.CloseWrite())
	})
	got, err := io.ReadAll(c.b)
	if err != nil {
		t.Errorf("read to the end: %v, want io.EOF", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("read %d bytes before the end, want the %d that were written", len(got), len(want))
	}
	if err := (<-wrote).err; err != nil {
		t.Errorf("Write and CloseWrite: %v", err)
	}
	if _, err := c.a.Write([]byte{0}); err == nil {
		t.Error("Write after CloseWrite succeeds")
	}
	close(over)
	<-chatter
	c.b.Close()
	if got := <-heard; got.err != nil {
		t.Errorf("Read after CloseWrite: %v, want io.EOF", got.err)
	}
}

// methodsMayBeConcurrent is for the race detector.
func methodsMayBeConcurrent(t *testing.T, c ends) {
	echo := async(func() (int64, error) { return io.Copy(c.b, c.b) })
	later := time.Now().Add(time.Hour)
	var calls []<-chan result[int]
	for _, call := range []func() error{
		func() error { _, err := c.a.Write(make([]byte, 100)); return err },
		func() error { _, err := io.ReadFull(c.a, make([]byte, 100)); return err },
		func() error { return c.a.SetDeadline(later) },
		func() error { return c.a.SetReadDeadline(later) },
		func() error { return c.a.SetWriteDeadline(later) },
		func() error { c.a.LocalAddr(); c.a.RemoteAddr(); return nil },
	} {
		for range 2 {
			calls = append(calls, async(func() (int, error) {
				for range 50 {
					if err := call(); err != nil {
						return 0, err
					}
				}
				return 0, nil
			}))
		}
	}
	for _, call := range calls {
		if err := (<-call).err; err != nil {
			t.Error(err)
		}
	}
	c.a.Close()
	<-echo
}

func roundTrip(t *testing.T, c ends) {
	t.Helper()
	for _, way := range []struct {
		name     string
		from, to net.Conn
	}{{"to the other side", c.a, c.b}, {"from the other side", c.b, c.a}} {
		want := []byte("ping " + way.name)
		wrote := async(func() (int, error) { return way.from.Write(want) })
		got := make([]byte, len(want))
		if _, err := io.ReadFull(way.to, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %q, %v; want %q", way.name, got, err, want)
		}
		if err := (<-wrote).err; err != nil {
			t.Errorf("%s: write: %v", way.name, err)
		}
	}
}

func hasAddresses(t *testing.T, c ends) {
	for _, addr := range []net.Addr{c.a.LocalAddr(), c.a.RemoteAddr()} {
		if addr == nil || addr.String() == "" || addr.Network() == "" {
			t.Errorf("address is %v, want one", addr)
		}
	}
}
