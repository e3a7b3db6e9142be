package mux

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

// TestReceive goes through what the other side may do with its half of a
// channel. Ids 5 and 6 are nothing special.
func TestReceive(t *testing.T) {
	open, data, end := frame{5, TypeOpen, "data"}, frame{5, TypeData, "abc"}, frame{5, TypeEnd, ""}
	for _, test := range []struct {
		name   string
		frames []frame
		want   string // received on the channel data
		ends   int
	}{
		{"open and data", []frame{open, data, data}, "abcabc", 0},
		{"empty data", []frame{open, {5, TypeData, ""}, data}, "abc", 0},
		{"end", []frame{open, data, end}, "abc", 1},
		{"end twice", []frame{open, end, end}, "", 1},
		{"data after end", []frame{open, end, data}, "", 1},
		{"destroy after end, as 2.2.0 does", []frame{open, data, end, {5, TypeReceiverDestroy, ""}, {5, TypeDestroy, ""}}, "abc", 1},
		{"destroy", []frame{open, data, {5, TypeDestroy, ""}, data}, "abc", 1},
		{"destroy with text", []frame{open, data, {5, TypeDestroy, "why not"}, data}, "abc", 1},
		{"end with payload", []frame{open, data, {5, TypeEnd, "payload"}, data}, "abc", 1},
		{"data before open", []frame{data, open}, "", 0},
		{"data on another id", []frame{open, {6, TypeData, "x"}}, "", 0},
		{"end of another id", []frame{open, {6, TypeEnd, ""}, {6, TypeDestroy, ""}, data}, "abc", 0},
		{"data of the receiver", []frame{open, {5, TypeReceiverData, "x"}, {0, TypeReceiverData, "x"}}, "", 0},
		{"end of the receiver", []frame{open, {5, TypeReceiverEnd, ""}, data}, "abc", 0},
		{"type 7", []frame{open, {5, 7, "x"}, {0, 7, ""}, data}, "abc", 0},
		{"second open of the name", []frame{open, {6, TypeOpen, "data"}, {6, TypeData, "x"}, data}, "abc", 0},
		{"end of a second open", []frame{open, {6, TypeOpen, "data"}, {6, TypeEnd, ""}, data}, "abc", 0},
		{"same open twice", []frame{open, data, open, data}, "abc", 1},
		{"id passes to another name", []frame{open, data, {5, TypeOpen, "other"}, data}, "abc", 1},
		{"id passes to nobody", []frame{open, data, {5, TypeOpen, "nobody"}, data}, "abc", 1},
		{"id comes from another name", []frame{{5, TypeOpen, "other"}, open, data}, "abc", 0},
		{"id reused after end", []frame{{5, TypeOpen, "other"}, end, open, data}, "abc", 0},
		{"opens of unknown names", []frame{{6, TypeOpen, "x"}, {6, TypeData, "x"}, {7, TypeOpen, ""}, open, data}, "abc", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			// The stream in one piece, and byte by byte.
			for _, size := range []int{1 << 20, 1} {
				synctest.Test(t, func(t *testing.T) {
					s, peer := newTestSession(t, Config{})
					s.record(t, "other")
					r := s.record(t, "data")
					for rest := encode(test.frames...); len(rest) > 0; rest = rest[min(size, len(rest)):] {
						peer.write(rest[:min(size, len(rest))])
					}
					synctest.Wait()
					if string(r.got) != test.want || r.ends != test.ends {
						t.Errorf("received %q and %d ends, want %q and %d", r.got, r.ends, test.want, test.ends)
					}
					peer.want()
					s.wantAlive(t)
				})
			}
		})
	}
}

func TestEmptyNameIsTheDecimalID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		r := s.record(t, "18446744073709551")
		peer.send(frame{18446744073709551, TypeOpen, ""}, frame{18446744073709551, TypeData, "x"})
		synctest.Wait()
		if string(r.got) != "x" {
			t.Errorf("received %q", r.got)
		}
	})
}

func TestChannelOpenedBeforeItIsExpectedIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		peer.send(frame{1, TypeOpen, "relay:x"}, frame{1, TypeData, "early"})
		synctest.Wait()
		r := s.record(t, "relay:x")
		peer.send(frame{1, TypeData, "late"})
		synctest.Wait()
		if len(r.got) > 0 {
			t.Errorf("received %q", r.got)
		}
		peer.send(frame{2, TypeOpen, "relay:x"}, frame{2, TypeData, "again"})
		synctest.Wait()
		if string(r.got) != "again" {
			t.Errorf("received %q after a second open", r.got)
		}
	})
}

func TestReceiverThatClosesItsChannelReceivesNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		var c *Channel
		calls := 0
		c = s.channel(t, "data", receiverFunc(func(p []byte) error {
			calls++
			c.Close()
			return nil
		}))
		other := s.record(t, "other")
		peer.send(frame{0, TypeOpen, "data"}, frame{1, TypeOpen, "other"}, frame{0, TypeData, "a"}, frame{0, TypeData, "b"},
			frame{1, TypeData, "c"}, frame{0, TypeEnd, ""})
		synctest.Wait()
		if calls != 1 || string(other.got) != "c" {
			t.Errorf("received %d times, the other channel %q", calls, other.got)
		}
	})
}

type receiverFunc func(p []byte) error

func (f receiverFunc) Receive(p []byte) error { return f(p) }
func (f receiverFunc) End()                   {}

func TestErrorOfAReceiverEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{})
		errBad := errors.New("bad message")
		s.channel(t, "pxp", receiverFunc(func([]byte) error { return errBad }))
		after := s.record(t, "data")
		peer.send(frame{1, TypeOpen, "data"}, frame{0, TypeOpen, "pxp"}, frame{0, TypeData, "x"}, frame{1, TypeData, "x"})
		s.wantEnd(t, errBad)
		if len(after.got) > 0 || after.ends > 0 {
			t.Error("a receiver was called after the end")
		}
	})
}

func TestCloseInAReceiverStopsTheChunk(t *testing.T) {
	for _, next := range []frame{{0, TypeData, "y"}, {0, TypeEnd, ""}, {0, TypeOpen, "x"}} {
		synctest.Test(t, func(t *testing.T) {
			s, peer := newTestSession(t, Config{})
			errDone := errors.New("done")
			var calls int
			r := &closer{close: func() { calls++; s.Close(errDone) }}
			s.channel(t, "pxp", r)
			peer.send(frame{0, TypeOpen, "pxp"}, frame{0, TypeData, "x"}, next)
			s.wantEnd(t, errDone)
			if calls != 1 || r.ends != 0 {
				t.Errorf("received %d times, ended %d times", calls, r.ends)
			}
		})
	}
}

type closer struct {
	close func()
	ends  int
}

func (c *closer) Receive([]byte) error { c.close(); return nil }
func (c *closer) End()                 { c.ends++ }

func TestBadInputEndsTheSession(t *testing.T) {
	for _, test := range []struct {
		name   string
		stream []byte
		want   error
	}{
		{"varint of 101 bytes", append(bytes.Repeat([]byte{0x80}, 100), 0), ErrMalformed},
		{"varint above 64 bits", bytes.Repeat([]byte{0xff}, 10), ErrMalformed},
		{"frame above the limit", AppendHeader(nil, Header{0, TypeData, 1001}), ErrFrameTooLarge},
		{"skipped frame above the limit", AppendHeader(nil, Header{9, 7, 1001}), ErrFrameTooLarge},
		{"name above the limit", AppendHeader(nil, Header{0, TypeOpen, 257}), ErrNameTooLong},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, peer := newTestSession(t, Config{MaxFrameBytes: 1000})
				peer.write(test.stream)
				s.wantEnd(t, test.want)
				if got := peer.bytes(); len(got) > 0 {
					t.Errorf("session sent %x", got)
				}
			})
		})
	}
}

func TestLimitsAreInclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := newTestSession(t, Config{MaxFrameBytes: 1000})
		name := strings.Repeat("n", 256)
		r := s.record(t, name)
		peer.send(frame{0, TypeOpen, name}, frame{0, TypeData, strings.Repeat("x", 1000)})
		synctest.Wait()
		if len(r.got) != 1000 {
			t.Errorf("received %d bytes", len(r.got))
		}
		s.wantAlive(t)
	})
}

func TestEndOfTheConnection(t *testing.T) {
	for _, test := range []struct {
		name   string
		stream []byte
		want   error
	}{
		{"between frames", encode(frame{0, TypeOpen, "pxp"}), io.EOF},
		{"before any", nil, io.EOF},
		{"in a varint", []byte{0x80}, io.ErrUnexpectedEOF},
		{"before the length", []byte{0x02}, io.ErrUnexpectedEOF},
		{"in the payload", []byte{0x02, 0x05, 'x'}, io.ErrUnexpectedEOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, peer := newTestSession(t, Config{})
				peer.write(test.stream)
				peer.conn.Close()
				s.wantEnd(t, test.want)
			})
		})
	}
}

// TestFloodIsNotRemembered sends frames that have no receiver, whole and cut in
// the middle, and checks that none of them makes the session allocate.
func TestFloodIsNotRemembered(t *testing.T) {
	s := New(nil, Config{})
	if _, err := s.Channel("pxp", new(recorder)); err != nil {
		t.Fatal(err)
	}
	var flood []byte
	for id := range uint64(1000) {
		flood = append(flood, encode(
			frame{id, TypeOpen, strings.Repeat("n", int(id%256))}, frame{id, TypeData, "data"}, frame{id, TypeReceiverData, "data"},
			frame{id + 2000, TypeEnd, ""}, frame{id + 2000, TypeReceiverDestroy, "text"}, frame{id, 7, "x"},
		)...)
	}
	if n := testing.AllocsPerRun(10, func() {
		if err := s.decoder.Feed(flood, (*inbound)(s)); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
	if len(s.byID) != 1 || len(s.byPeer) != 0 || s.name != nil {
		t.Error("the session remembers channels that nobody expects")
	}
}

// FuzzSession sends anything to a session with the usual channels and checks
// that it does not panic, that it holds nothing, and that what it sends is
// sound.
func FuzzSession(f *testing.F) {
	for _, stream := range recordedStreams(f) {
		f.Add(bytes.Join(stream.chunks, nil))
	}
	f.Add(encode(frame{0, TypeOpen, "pxp"}, frame{0, TypeData, "x"}, frame{0, TypeOpen, "data"}, frame{0, TypeReceiverDestroy, ""}))
	f.Fuzz(func(t *testing.T, stream []byte) {
		s, peer := newTestSession(t, Config{})
		for _, name := range []string{"pxp", "data", "relay:x"} {
			var c *Channel
			c = s.channel(t, name, receiverFunc(func(p []byte) error {
				c.Send(p)
				if bytes.HasPrefix(p, []byte("end")) {
					c.End()
				}
				return nil
			}))
		}
		peer.write(stream)
		peer.conn.Close()
		<-s.Done()
		s.wantEnd(t, nil)
		peer.mu.Lock()
		defer peer.mu.Unlock()
		sent, err := decode(peer.got)
		if err != nil {
			t.Errorf("sent: %v", err)
		}
		checkSent(t, sent)
	})
}

// checkSent checks the rules of everything that a session sends: its own half
// of channels only, an open first, nothing after the end, no id twice.
func checkSent(t *testing.T, sent []frame) {
	t.Helper()
	state := map[uint64]half{}
	for i, f := range sent {
		switch was := state[f.ID]; {
		case f.Type == TypeOpen && was == expected:
			state[f.ID] = opened
		case f.Type == TypeData && was == opened:
		case f.Type == TypeEnd && was == opened && f.Payload == "":
			state[f.ID] = over
		default:
			t.Errorf("frame %d, %+.40v, is out of place", i, f)
		}
	}
}
