package websocket

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// masked is a short frame with a mask of zeros.
func masked(first byte, payload string) []byte {
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

func TestEndOfTheOtherSide(t *testing.T) {
	for _, test := range []struct {
		name string
		sent []byte
		want error
	}{
		{"Close 1000", masked(0x88, "\x03\xe8"), io.EOF},
		{"Close 1001", masked(0x88, "\x03\xe9"), io.EOF},
		{"Close without a code", masked(0x88, ""), io.EOF},
		{"cut between messages", masked(0x82, "x"), io.EOF},
		{"cut at once", nil, io.EOF},
		{"cut in a message", masked(0x82, "long")[:8], io.ErrUnexpectedEOF},
		{"cut between fragments", masked(0x02, ""), io.ErrUnexpectedEOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := newPair(t, Config{})
				go func() {
					peer.NetConn().Write(test.sent)
					peer.Close()
				}()
				if err := <-readAll(c); err != test.want && !(err == nil && test.want == io.EOF) {
					t.Errorf("Read: %v, want %v", err, test.want)
				}
				if _, again := c.Read(make([]byte, 100)); again != test.want {
					t.Errorf("Read once more: %v, want %v again", again, test.want)
				}
			})
		})
	}
}

func TestCloseErrorTellsTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := newPair(t, Config{})
		received := receive(peer)
		go peer.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1008, "policy"), time.Time{})
		_, err := c.Read(make([]byte, 1))
		closed := (*CloseError)(nil)
		if !errors.As(err, &closed) || closed.Code != 1008 || closed.Text != "policy" {
			t.Errorf("Read: %v, want CloseError 1008 policy", err)
		}
		<-received
		if _, err := c.Write([]byte("x")); !errors.Is(err, ErrCloseSent) {
			t.Errorf("Write after Close: %v, want ErrCloseSent", err)
		}
	})
}

// TestCloseSaysWhyAndCuts checks the status code that the other side gets, and
// that the stream ends without waiting for its answer.
func TestCloseSaysWhyAndCuts(t *testing.T) {
	for _, test := range []struct {
		name string
		sent []byte
		want int
	}{
		{"nothing happened", nil, 1000},
		{"other side closes", masked(0x88, "\x03\xe9"), 1001},
		{"bad frame", masked(0x83, ""), 1002},
		{"bad status code", masked(0x88, "\x03\xed"), 1002},
		{"message too large", masked(0x82, "eleven byte"), 1009},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, peer := newPair(t, Config{MaxMessageBytes: 10})
				peer.SetCloseHandler(func(int, string) error { return nil })
				received := receive(peer)
				if test.sent != nil {
					go peer.NetConn().Write(test.sent)
					if _, err := c.Read(make([]byte, 100)); err == nil {
						t.Error("Read succeeds")
					}
				}
				if err := c.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
				if err := <-received; !websocket.IsCloseError(err, test.want) {
					t.Errorf("closed with %v, want %d", err, test.want)
				}
				if _, err := peer.NetConn().Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("read after Close: %v, want the end", err)
				}
			})
		})
	}
}

func TestCloseDoesNotWaitForWriters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := newPair(t, Config{})
		wrote := make(chan error)
		go func() {
			_, err := c.Write([]byte("nobody reads this"))
			wrote <- err
		}()
		synctest.Wait()
		start := time.Now()
		c.Close()
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %v", took)
		}
		if err := <-wrote; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write: %v, want net.ErrClosed", err)
		}
	})
}

// TestCloseDoesNotWaitForReaders closes where nobody takes the Close.
func TestCloseDoesNotWaitForReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, end := range map[string]func(c *Conn) error{"Close": (*Conn).Close, "CloseWrite": (*Conn).CloseWrite} {
			c, _ := newPair(t, Config{})
			start := time.Now()
			err := end(c)
			if took := time.Since(start); took > time.Second {
				t.Errorf("%s took %v", name, took)
			}
			if name == "CloseWrite" && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("CloseWrite: %v, want os.ErrDeadlineExceeded", err)
			}
		}
	})
}

// TestPingsMindNoWriteDeadline checks that a deadline of a Write that is long
// over does not keep pings from being sent.
func TestPingsMindNoWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := newPair(t, Config{})
		received := receive(peer)
		read := readAll(c)
		c.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := c.Write([]byte("in time")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := c.Write([]byte("late")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write: %v, want os.ErrDeadlineExceeded", err)
		}
		c.SetWriteDeadline(time.Time{})
		if _, err := c.Write([]byte("again")); err != nil {
			t.Errorf("Write: %v", err)
		}
		c.Close()
		<-read
		<-received
	})
}
