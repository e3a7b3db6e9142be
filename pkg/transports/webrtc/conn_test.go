package webrtc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/pion/sctp"
)

func TestReadJoinsMessages(t *testing.T) {
	c, f := openFake(t, Config{}, MaxMessageReceived)
	large := bytes.Repeat([]byte("0123456789abcdef"), MaxMessageReceived/16)
	medium := bytes.Repeat([]byte("x"), 65536)
	f.arrive([]byte("ab"), nil, medium, []byte("cd"), nil, large, []byte("e"))
	f.finish(io.EOF)

	got, err := io.ReadAll(smallReads{c})
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Join([][]byte{[]byte("ab"), medium, []byte("cd"), large, []byte("e")}, nil)
	if !bytes.Equal(got, want) {
		t.Errorf("read %d bytes, want %d, or they differ", len(got), len(want))
	}
}

// smallReads reads at most 1000 bytes at a time.
type smallReads struct{ r io.Reader }

func (o smallReads) Read(p []byte) (int, error) { return o.r.Read(p[:min(len(p), 1000)]) }

func TestReadTooLargeMessage(t *testing.T) {
	c, f := openFake(t, Config{}, MaxMessageReceived)
	f.arrive(make([]byte, MaxMessageReceived+1))
	for range 2 {
		if _, err := c.Read(make([]byte, 10)); !errors.Is(err, ErrMessageTooLarge) {
			t.Errorf("Read returned %v, want ErrMessageTooLarge", err)
		}
		f.finish(io.EOF)
		f.mu.Lock()
		f.incoming = nil
		f.mu.Unlock()
	}
}

func TestReadEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct{ pion, want error }{
		{io.EOF, io.EOF},
		{fmt.Errorf("[0] %w: close called", sctp.ErrChunk), io.EOF},
		{broken, broken},
	} {
		c, f := openFake(t, Config{}, MaxMessageReceived)
		f.arrive([]byte("last"))
		f.finish(test.pion)
		buf := make([]byte, 10)
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "last" {
			t.Errorf("%v: Read returned %q and %v before the end", test.pion, buf[:n], err)
		}
		if _, err := c.Read(buf); !errors.Is(err, test.want) {
			t.Errorf("%v: Read returned %v, want %v", test.pion, err, test.want)
		}
		if _, err := c.Write(buf); err == nil {
			t.Errorf("%v: Write succeeded", test.pion)
		}
	}
}

func TestReadReturnsWhatArrivedBeforeFailure(t *testing.T) {
	c, f := openFake(t, Config{}, MaxMessageReceived)
	f.arrive([]byte("last"))
	c.fail(ErrLost)
	buf := make([]byte, 10)
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != "last" {
		t.Errorf("Read returned %q and %v", buf[:n], err)
	}
	for range 2 {
		if _, err := c.Read(buf); err != ErrLost {
			t.Errorf("Read returned %v, want ErrLost", err)
		}
	}
	if _, err := c.Write(buf); err != ErrLost {
		t.Errorf("Write returned %v, want ErrLost", err)
	}
}

func TestReadAfterDeadlineWasMoved(t *testing.T) {
	c, f := openFake(t, Config{}, MaxMessageReceived)
	buf := make([]byte, 10)
	if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	f.arrive([]byte("a"))
	if _, err := c.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read returned %v, want a timeout", err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != "a" {
		t.Errorf("Read returned %q and %v", buf[:n], err)
	}
	// The interruption is still there; Read has to take it back.
	read := make(chan error)
	go func() {
		_, err := c.Read(buf)
		read <- err
	}()
	f.arrive([]byte("b"))
	if err := <-read; err != nil {
		t.Error(err)
	}
}

func TestWriteSplitsIntoMessages(t *testing.T) {
	for _, test := range []struct{ own, remote, want int }{
		{0, MaxMessageReceived, 65536},
		{16384, MaxMessageReceived, 16384},
		{0, 20000, 20000},
	} {
		c, f := openFake(t, Config{MaxMessageSent: test.own}, test.remote)
		p := make([]byte, 200000)
		for i := range p {
			p[i] = byte(i / 7)
		}
		if n, err := c.Write(p); n != len(p) || err != nil {
			t.Fatalf("Write returned %d and %v", n, err)
		}
		if got := bytes.Join(f.sent, nil); !bytes.Equal(got, p) {
			t.Error("other bytes were sent")
		}
		for _, message := range f.sent[:len(f.sent)-1] {
			if len(message) != test.want {
				t.Errorf("message of %d bytes, want %d", len(message), test.want)
			}
		}
	}
	c, f := openFake(t, Config{}, MaxMessageReceived)
	if n, err := c.Write(nil); n != 0 || err != nil || f.messages() != 0 {
		t.Errorf("empty Write returned %d and %v and sent %d messages", n, err, f.messages())
	}
}

func TestWriteWaterMarks(t *testing.T) {
	c, f := openFake(t, Config{MaxMessageSent: 16384, SendBuffer: 32768, SendBufferLow: 16384}, MaxMessageReceived)
	message := make([]byte, 16384)
	for range 2 {
		if _, err := c.Write(message); err != nil {
			t.Fatal(err)
		}
	}
	wrote := make(chan error)
	go func() {
		_, err := c.Write(message)
		wrote <- err
	}()
	f.acknowledge(16383) // one byte above the low mark
	select {
	case err := <-wrote:
		t.Fatalf("Write returned %v although the buffer was not low", err)
	default:
	}
	f.acknowledge(1)
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	if f.messages() != 3 {
		t.Errorf("sent %d messages, want 3", f.messages())
	}
}

func TestBlockedWriteIsReleased(t *testing.T) {
	for name, test := range map[string]struct {
		release func(*Conn, *fakeChannel)
		want    error
	}{
		"deadline": {func(c *Conn, _ *fakeChannel) { c.SetWriteDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"close":    {func(c *Conn, _ *fakeChannel) { c.Close() }, net.ErrClosed},
		"failure":  {func(c *Conn, _ *fakeChannel) { c.fail(ErrLost) }, ErrLost},
		"eof": {func(c *Conn, f *fakeChannel) {
			f.finish(io.EOF)
			c.Read(make([]byte, 1))
		}, io.ErrClosedPipe},
	} {
		t.Run(name, func(t *testing.T) {
			c, f := openFake(t, Config{MaxMessageSent: 16384, SendBuffer: 16384}, MaxMessageReceived)
			wrote := make(chan error)
			written := make(chan int, 1)
			go func() {
				n, err := c.Write(make([]byte, 40000))
				written <- n
				wrote <- err
			}()
			test.release(c, f)
			if err := <-wrote; !errors.Is(err, test.want) {
				t.Errorf("Write returned %v, want %v", err, test.want)
			}
			if n := <-written; n > 16384 {
				t.Errorf("Write took %d bytes, more than the buffer", n)
			}
		})
	}
}

func TestCloseIsIdempotentAndFinal(t *testing.T) {
	c, f := openFake(t, Config{}, MaxMessageReceived)
	read := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		read <- err
	}()
	for range 3 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-read; err != net.ErrClosed {
		t.Errorf("Read in progress returned %v", err)
	}
	f.finish(io.EOF)
	if _, err := c.Read(nil); err != net.ErrClosed {
		t.Errorf("Read returned %v", err)
	}
	if _, err := c.Write([]byte("x")); err != net.ErrClosed {
		t.Errorf("Write returned %v", err)
	}
	if err := c.SetDeadline(time.Now()); err != net.ErrClosed {
		t.Errorf("SetDeadline returned %v", err)
	}
}
