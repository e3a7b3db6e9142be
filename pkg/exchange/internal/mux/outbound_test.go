package mux

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestHalvesOpenLazilyInOrderOfTheirIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		pxp, data, relay := s.channel(t, "pxp", nil), s.channel(t, "data", nil), s.channel(t, "relay:x", nil)
		peer.want()
		relay.Send([]byte("a"))
		pxp.Send(nil)
		pxp.Send([]byte("b"))
		relay.Send([]byte("c"))
		peer.want(frame{2, TypeOpen, "relay:x"}, frame{2, TypeData, "a"}, frame{0, TypeOpen, "pxp"}, frame{0, TypeData, "b"}, frame{2, TypeData, "c"})
		relay.Close()
		s.channel(t, "relay:x", nil).Send([]byte("d"))
		data.Write([]byte("e"))
		peer.want(frame{2, TypeEnd, ""}, frame{3, TypeOpen, "relay:x"}, frame{3, TypeData, "d"}, frame{1, TypeOpen, "data"}, frame{1, TypeData, "e"})
	})
}

func TestMagicLeavesWithTheFirstFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := New(ours, Config{})
		s.SendMagic([]byte("#PXP#"))
		synctest.Wait()
		c, err := s.Channel("pxp", nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Send([]byte("x"))
		// One read of a pipe is of one write.
		write := make([]byte, 100)
		n, err := theirs.Read(write)
		if got, want := write[:n], "#PXP#\x00\x03pxp\x02\x01x"; err != nil || string(got) != want {
			t.Errorf("sent %q and %v, want %q", got, err, want)
		}
		s.Close(nil)
		s.Wait()
	})
}

func TestAnswersToOneChunkLeaveInOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		var c *Channel
		c = s.channel(t, "pxp", receiverFunc(func(p []byte) error { return c.Send(p) }))
		question := frame{4, TypeData, "?"}
		peer.send(frame{4, TypeOpen, "pxp"}, question, question, question)
		synctest.Wait()
		peer.mu.Lock()
		reads := peer.reads
		peer.mu.Unlock()
		if reads != 1 {
			t.Errorf("%d writes", reads)
		}
		answer := frame{0, TypeData, "?"}
		peer.want(frame{0, TypeOpen, "pxp"}, answer, answer, answer)
		if s.Session.active != 0 {
			t.Error("a goroutine was started for it")
		}
	})
}

func TestEnd(t *testing.T) {
	open, data, end := frame{0, TypeOpen, "data"}, frame{0, TypeData, "x"}, frame{0, TypeEnd, ""}
	for _, test := range []struct {
		name string
		do   func(c *Channel, peer *rawPeer)
		sent []frame
		err  error // of a Send after it
	}{
		{"nothing", func(*Channel, *rawPeer) {}, []frame{open, data}, nil},
		{"end before open", func(c *Channel, _ *rawPeer) { c.End() }, nil, ErrChannelEnded},
		{"close before open", func(c *Channel, _ *rawPeer) { c.Close() }, nil, net.ErrClosed},
		{"end", func(c *Channel, _ *rawPeer) { c.Send([]byte("x")); c.End(); c.End() }, []frame{open, data, end}, ErrChannelEnded},
		{"close", func(c *Channel, _ *rawPeer) { c.Send([]byte("x")); c.Close(); c.Close() }, []frame{open, data, end}, net.ErrClosed},
		{"end and close", func(c *Channel, _ *rawPeer) { c.Send([]byte("x")); c.End(); c.Close() }, []frame{open, data, end}, net.ErrClosed},
		{"receiver destroys", func(c *Channel, p *rawPeer) {
			c.Send([]byte("x"))
			p.send(frame{0, TypeReceiverDestroy, "text"})
			synctest.Wait()
			c.End()
		}, []frame{open, data}, ErrChannelEnded},
		{"receiver ends", func(c *Channel, p *rawPeer) {
			c.Send([]byte("x"))
			p.send(frame{0, TypeReceiverEnd, ""})
			synctest.Wait()
			c.Close()
		}, []frame{open, data}, net.ErrClosed},
		{"receiver destroys before open", func(c *Channel, p *rawPeer) { p.send(frame{0, TypeReceiverDestroy, ""}) }, nil, ErrChannelEnded},
		{"receiver answers end", func(c *Channel, p *rawPeer) {
			c.Send([]byte("x"))
			c.End()
			p.send(frame{0, TypeReceiverEnd, ""})
		}, []frame{open, data, end}, ErrChannelEnded},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, peer := newTestSession(t, Config{})
				c, other := s.channel(t, "data", nil), s.channel(t, "pxp", nil)
				test.do(c, peer)
				synctest.Wait()
				if err := c.Send([]byte("x")); !errors.Is(err, test.err) {
					t.Errorf("Send: %v, want %v", err, test.err)
				}
				if test.err != nil {
					if n, err := c.Write([]byte("x")); n != 0 || !errors.Is(err, test.err) {
						t.Errorf("Write: %d, %v, want %v", n, err, test.err)
					}
				}
				peer.want(test.sent...)
				other.Send([]byte("y"))
				peer.want(frame{1, TypeOpen, "pxp"}, frame{1, TypeData, "y"})
				s.wantAlive(t)
			})
		})
	}
}

func TestNameIsFreeWhenBothHalvesAreOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{MaxChannels: 1})
		for id := range uint64(3) {
			c := s.channel(t, "relay:x", nil)
			if _, err := s.Channel("relay:x", nil); !errors.Is(err, ErrNameInUse) {
				t.Errorf("the same name twice: %v", err)
			}
			if _, err := s.Channel("relay:y", nil); !errors.Is(err, ErrTooManyChannels) {
				t.Errorf("another channel: %v", err)
			}
			peer.send(frame{7, TypeOpen, "relay:x"}, frame{7, TypeEnd, ""})
			c.Send([]byte("x"))
			c.End()
			peer.want(frame{id, TypeOpen, "relay:x"}, frame{id, TypeData, "x"}, frame{id, TypeEnd, ""})
		}
	})
}

// TestManyChannels has more channels than are searched without maps, opened by
// the other side before and after there were so many.
func TestManyChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{MaxChannels: -1})
		const many = 200
		var channels []*Channel
		var received []*recorder
		for i := range uint64(many) {
			r := new(recorder)
			name := strings.Repeat("n", int(i)+1)
			channels = append(channels, s.channel(t, name, r))
			received = append(received, r)
			peer.send(frame{many - i, TypeOpen, name}, frame{many - i, TypeData, "in"})
			synctest.Wait()
		}
		for i := range uint64(many) {
			if i%2 == 0 {
				channels[i].Close()
			}
		}
		for i := range uint64(many) {
			peer.send(frame{many - i, TypeData, "in"}, frame{many - i, TypeEnd, ""}, frame{i, TypeReceiverDestroy, ""})
		}
		synctest.Wait()
		for i, r := range received {
			want, ends := "inin", 1
			if i%2 == 0 {
				want, ends = "in", 0
			}
			if string(r.got) != want || r.ends != ends {
				t.Fatalf("channel %d received %q and %d ends, want %q and %d", i, r.got, r.ends, want, ends)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := len(s.byID) + len(s.byName) + len(s.byPeer); n > 0 {
			t.Errorf("%d entries are left", n)
		}
	})
}

func TestNameTooLongForUs(t *testing.T) {
	s := New(nil, Config{MaxNameBytes: 3})
	if _, err := s.Channel("data", nil); !errors.Is(err, ErrNameTooLong) {
		t.Errorf("error is %v", err)
	}
}

// newStuckSession makes a session whose other side does not read.
func newStuckSession(t testing.TB, cfg Config) (*testSession, net.Conn) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { theirs.Close() })
	return runSession(t, ours, cfg), theirs
}

func TestQueueOverflowEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newStuckSession(t, Config{MaxQueueBytes: 1000})
		c := s.channel(t, "pxp", nil)
		if err := c.Send(make([]byte, 1000)); !errors.Is(err, ErrFrameTooLarge) {
			t.Errorf("a message that never fits: %v", err)
		}
		s.wantAlive(t)
		sent := 0
		for c.Send(make([]byte, 98)) == nil {
			synctest.Wait()
			sent++
		}
		if sent != 9 {
			t.Errorf("%d frames of 100 bytes fit in 1000 bytes beside the open", sent)
		}
		if err := c.Send([]byte("x")); err != net.ErrClosed {
			t.Errorf("Send after the end: %v", err)
		}
		s.wantEnd(t, ErrSlowPeer)
	})
}

func TestQueueWithoutLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, theirs := newStuckSession(t, Config{MaxQueueBytes: -1, WriteTimeout: -1})
		c := s.channel(t, "pxp", nil)
		for range 100 {
			if err := c.Send(make([]byte, 100<<10)); err != nil {
				t.Fatal(err)
			}
		}
		advance(24 * time.Hour)
		s.wantAlive(t)
		theirs.Close()
		s.wantEnd(t, nil)
	})
}

func TestPeerThatDoesNotReadIsSlow(t *testing.T) {
	for _, test := range []struct {
		name string
		send func(c *Channel, theirs net.Conn)
	}{
		{"sent", func(c *Channel, _ net.Conn) { c.Send([]byte("x")) }},
		{"answered", func(c *Channel, theirs net.Conn) {
			theirs.Write(encode(frame{0, TypeOpen, "pxp"}, frame{0, TypeData, "?"}))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, theirs := newStuckSession(t, Config{WriteTimeout: 10 * time.Second})
				var c *Channel
				c = s.channel(t, "pxp", receiverFunc(func(p []byte) error { return c.Send(p) }))
				start := time.Now()
				test.send(c, theirs)
				s.wantEnd(t, ErrSlowPeer)
				if d := time.Since(start); d != 10*time.Second {
					t.Errorf("ended after %v", d)
				}
			})
		})
	}
}

// TestPeerThatReadsSlowlyIsKept reads a write's worth just before each timeout.
func TestPeerThatReadsSlowlyIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, theirs := newStuckSession(t, Config{WriteTimeout: 10 * time.Second})
		c := s.channel(t, "pxp", nil)
		buf := make([]byte, maxDataFrame)
		for range 3 {
			c.Send(make([]byte, 60<<10))
		}
		for range 20 {
			advance(9 * time.Second)
			theirs.Read(buf)
			c.Send(make([]byte, 60<<10))
		}
		s.wantAlive(t)
		s.wantEnd(t, ErrSlowPeer)
	})
}

func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, theirs := newStuckSession(t, Config{})
		if err := s.Flush(t.Context()); err != nil {
			t.Errorf("nothing to flush: %v", err)
		}
		c := s.channel(t, "pxp", nil)
		c.Send([]byte("x"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nobody reads: %v", err)
		}
		flushed := make(chan error)
		go func() { flushed <- s.Flush(t.Context()) }()
		theirs.Read(make([]byte, 100))
		if err := <-flushed; err != nil {
			t.Errorf("all is read: %v", err)
		}
		c.Send([]byte("x"))
		go func() { flushed <- s.Flush(t.Context()) }()
		synctest.Wait()
		s.Close(nil)
		if err := <-flushed; err != net.ErrClosed {
			t.Errorf("session is closed: %v", err)
		}
	})
}

func TestCloseKeepsTheFirstReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		if s.Err() != nil {
			t.Error("ended before it was closed")
		}
		errFirst := errors.New("first")
		s.Close(errFirst)
		s.Close(errors.New("second"))
		<-s.Done()
		s.wantEnd(t, errFirst)
		if _, err := s.Channel("x", nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Channel: %v", err)
		}
		s.SendMagic([]byte("x"))
		peer.want()
	})
}

func TestChannelsOfAnEndedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		r := new(recorder)
		c := s.channel(t, "data", r)
		peer.send(frame{0, TypeOpen, "data"})
		c.SetWriteDeadline(time.Now().Add(time.Hour))
		s.Close(nil)
		s.wantEnd(t, net.ErrClosed)
		if n, err := c.Write([]byte("x")); n != 0 || err != net.ErrClosed {
			t.Errorf("Write: %d, %v", n, err)
		}
		if err := c.Send([]byte("x")); err != net.ErrClosed {
			t.Errorf("Send: %v", err)
		}
		c.SetWriteDeadline(time.Now().Add(time.Hour))
		c.End()
		c.Close()
		if r.ends > 0 {
			t.Error("the receiver was told of an end")
		}
	})
}

// TestNobodyWaitsForEachOther has two nodes answer each other over a connection
// without any buffer: each would write for ever if none read meanwhile.
func TestNobodyWaitsForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const exchanges = 50
		a, b := net.Pipe()
		var got [2]int
		var sessions [2]*testSession
		var channels [2]*Channel
		for i, conn := range []net.Conn{a, b} {
			sessions[i] = runSession(t, conn, Config{})
			channels[i] = sessions[i].channel(t, "pxp", receiverFunc(func(p []byte) error {
				if got[i] += len(p); got[i] < exchanges*1000 {
					return channels[i].Send(p)
				}
				return nil
			}))
		}
		for _, c := range channels {
			c.Send(make([]byte, 1000))
		}
		advance(time.Second)
		for i, s := range sessions {
			s.wantAlive(t)
			if got[i] < (exchanges-1)*1000 {
				t.Errorf("session %d received %d bytes", i, got[i])
			}
		}
	})
}

// TestAnswerLeavesWhileAReceiverBlocks sends a question and then data whose
// receiver does not return.
func TestAnswerLeavesWhileAReceiverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		var pxp *Channel
		pxp = s.channel(t, "pxp", receiverFunc(func(p []byte) error { return pxp.Send(p) }))
		unblock := make(chan struct{})
		s.channel(t, "data", receiverFunc(func([]byte) error { <-unblock; return nil }))
		go peer.send(frame{0, TypeOpen, "pxp"}, frame{1, TypeOpen, "data"}, frame{0, TypeData, "?"}, frame{1, TypeData, "x"}, frame{0, TypeData, "!"})
		advance(heldUp)
		peer.want(frame{0, TypeOpen, "pxp"}, frame{0, TypeData, "?"})
		close(unblock)
		peer.want(frame{0, TypeData, "!"})
	})
}

// TestRelayToAStuckPeer relays to a session whose other side does not read: it
// alone ends, and the one that the bytes come from goes on.
func TestRelayToAStuckPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, _ := newStuckSession(t, Config{MaxQueueBytes: 10 << 10})
		s, peer := newTestSession(t, Config{})
		to := stuck.channel(t, "relay:x", nil)
		refused := 0
		s.channel(t, "relay:x", receiverFunc(func(p []byte) error {
			if to.Send(p) != nil {
				refused++
			}
			return nil
		}))
		r := s.record(t, "pxp")
		peer.send(frame{0, TypeOpen, "pxp"}, frame{1, TypeOpen, "relay:x"})
		for range 20 {
			peer.send(frame{1, TypeData, strings.Repeat("x", 1000)}, frame{0, TypeData, "."})
		}
		stuck.wantEnd(t, ErrSlowPeer)
		synctest.Wait()
		s.wantAlive(t)
		if len(r.got) != 20 || refused == 0 {
			t.Errorf("received %d messages, %d signals refused", len(r.got), refused)
		}
	})
}

// TestFailedWriteEndsTheSession breaks the connection in one direction.
func TestFailedWriteEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		errBroken := errors.New("broken")
		s := runSession(t, &brokenConn{ours, errBroken}, Config{})
		c := s.channel(t, "pxp", nil)
		c.Send([]byte("x"))
		s.wantEnd(t, errBroken)
	})
}

type brokenConn struct {
	net.Conn
	err error
}

func (b *brokenConn) Write([]byte) (int, error) { return 0, b.err }

func TestQueuedFramesAreNotCutByTheSizeOfWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		c := s.channel(t, "pxp", nil)
		long := bytes.Repeat([]byte("0123456789"), 20<<10)
		c.Send(long)
		peer.want(frame{0, TypeOpen, "pxp"}, frame{0, TypeData, string(long)})
	})
}
