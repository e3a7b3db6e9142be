package mux

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// gatherPipe is a pipe whose writes gather and survive deadlines, as TCP's do.
type gatherPipe struct{ net.Conn }

func (g *gatherPipe) WriteBuffers(buffers *net.Buffers) (int64, error) {
	var written int64
	for len(*buffers) > 0 {
		n, err := g.Write((*buffers)[0])
		written += int64(n)
		if err != nil {
			return written, err
		}
		*buffers = (*buffers)[1:]
	}
	return written, nil
}

// fragilePipe is a pipe that nobody may set a write deadline on, as if it were
// TLS.
type fragilePipe struct {
	net.Conn
	t testing.TB
}

func (f *fragilePipe) SetWriteDeadline(time.Time) error {
	f.t.Error("a write deadline was set")
	return nil
}

// eachPipe runs a test over both kinds of connections, in virtual time.
func eachPipe(t *testing.T, test func(t *testing.T, s *testSession, theirs net.Conn)) {
	for _, kind := range []string{"gather", "copy"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				defer theirs.Close()
				if kind == "gather" {
					ours = &gatherPipe{ours}
				} else {
					ours = &fragilePipe{ours, t}
				}
				test(t, runSession(t, ours, Config{}), theirs)
			})
		})
	}
}

// result is what a Write returned.
type result struct {
	n   int
	err error
}

func goWrite(c *Channel, p []byte) <-chan result {
	done := make(chan result, 1)
	go func() {
		n, err := c.Write(p)
		done <- result{n, err}
	}()
	return done
}

func TestWriteSplitsIntoFrames(t *testing.T) {
	eachPipe(t, func(t *testing.T, s *testSession, theirs net.Conn) {
		c := s.channel(t, "data", nil)
		data := make([]byte, 2*maxDataFrame+1)
		for i := range data {
			data[i] = byte(i >> 8)
		}
		done := goWrite(c, data)
		want := []frame{
			{0, TypeOpen, "data"}, {0, TypeData, string(data[:maxDataFrame])},
			{0, TypeData, string(data[maxDataFrame : 2*maxDataFrame])}, {0, TypeData, string(data[2*maxDataFrame:])},
		}
		diffFrames(t, "sent", readFrames(t, theirs, len(encode(want...))), want)
		if r := <-done; r.n != len(data) || r.err != nil {
			t.Errorf("Write: %d, %v", r.n, r.err)
		}
	})
}

// readFrames reads n bytes of frames.
func readFrames(t testing.TB, conn net.Conn, n int) []frame {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(conn, b); err != nil {
		t.Fatal(err)
	}
	frames, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

func TestEmptyWrite(t *testing.T) {
	eachPipe(t, func(t *testing.T, s *testSession, _ net.Conn) {
		c := s.channel(t, "data", nil)
		if n, err := c.Write(nil); n != 0 || err != nil {
			t.Errorf("Write: %d, %v", n, err)
		}
		c.SetWriteDeadline(time.Now())
		if _, err := c.Write(nil); err != os.ErrDeadlineExceeded {
			t.Errorf("Write after the deadline: %v", err)
		}
	})
}

// TestQueuedFramesGoBeforeData queues a message while a frame of data is being
// written and more wait.
func TestQueuedFramesGoBeforeData(t *testing.T) {
	eachPipe(t, func(t *testing.T, s *testSession, theirs net.Conn) {
		pxp, data := s.channel(t, "pxp", nil), s.channel(t, "data", nil)
		long := strings.Repeat("x", maxDataFrame)
		done := goWrite(data, []byte(long+long))
		readFrames(t, theirs, len(encode(frame{1, TypeOpen, "data"})))
		synctest.Wait()
		pxp.Send([]byte("y"))
		want := []frame{{1, TypeData, long}, {0, TypeOpen, "pxp"}, {0, TypeData, "y"}, {1, TypeData, long}}
		diffFrames(t, "sent", readFrames(t, theirs, len(encode(want...))), want)
		<-done
	})
}

// TestDeadlineLeavesTheStreamWhole cuts off Writes at many places and checks
// that exactly what they say was taken arrives, in whole frames.
func TestDeadlineLeavesTheStreamWhole(t *testing.T) {
	for _, read := range []int{0, 1, 6, 7, 8, 9, 10, 11, 12, 1000, maxDataFrame, maxDataFrame + 5, maxDataFrame + 13} {
		t.Run(fmt.Sprintf("%d bytes read", read), func(t *testing.T) {
			eachPipe(t, func(t *testing.T, s *testSession, theirs net.Conn) {
				pxp, data := s.channel(t, "pxp", nil), s.channel(t, "data", nil)
				p := bytes.Repeat([]byte("0123456789abcdef"), maxDataFrame/8) // two frames
				data.SetWriteDeadline(time.Now().Add(time.Second))
				done := goWrite(data, p)
				got := make([]byte, read)
				io.ReadFull(theirs, got)
				r := <-done
				if r.n%maxDataFrame != 0 || (r.err == nil) != (r.n == len(p)) || r.err != nil && r.err != os.ErrDeadlineExceeded {
					t.Fatalf("Write: %d, %v", r.n, r.err)
				}
				if n, err := data.Write(p); n != 0 || err != os.ErrDeadlineExceeded {
					t.Errorf("second Write: %d, %v", n, err)
				}
				pxp.Send([]byte("y"))
				data.SetWriteDeadline(time.Time{})
				done = goWrite(data, p[r.n:])
				rest := make(chan []byte)
				go func() {
					b, _ := io.ReadAll(theirs)
					rest <- b
				}()
				if r := <-done; r.err != nil {
					t.Errorf("third Write: %d, %v", r.n, r.err)
				}
				s.Flush(t.Context())
				s.Close(nil)
				sent, err := decode(got, <-rest)
				if err != nil {
					t.Fatal(err)
				}
				checkSent(t, sent)
				if payloadOf(sent, 1) != string(p) || payloadOf(sent, 0) != "y" {
					t.Errorf("sent %d bytes of data, %q", len(payloadOf(sent, 1)), payloadOf(sent, 0))
				}
			})
		})
	}
}

// payloadOf joins the data of one id.
func payloadOf(frames []frame, id uint64) string {
	var b strings.Builder
	for _, f := range frames {
		if f.ID == id && f.Type == TypeData {
			b.WriteString(f.Payload)
		}
	}
	return b.String()
}

func TestDeadlineOfAWriteInProgress(t *testing.T) {
	eachPipe(t, func(t *testing.T, s *testSession, theirs net.Conn) {
		c := s.channel(t, "data", nil)
		opened := goWrite(c, []byte("x"))
		readFrames(t, theirs, len(encode(frame{0, TypeOpen, "data"}, frame{0, TypeData, "x"})))
		<-opened
		for _, past := range []bool{true, false} {
			c.SetWriteDeadline(time.Now().Add(time.Hour))
			done := goWrite(c, make([]byte, 1<<20))
			synctest.Wait()
			waiting := goWrite(c, make([]byte, 1))
			synctest.Wait()
			if past {
				c.SetWriteDeadline(time.Now().Add(-time.Second))
			} else {
				c.SetWriteDeadline(time.Now().Add(time.Minute))
			}
			if r := <-done; r.err != os.ErrDeadlineExceeded {
				t.Errorf("Write: %d, %v", r.n, r.err)
			}
			if r := <-waiting; r.n != 0 || r.err != os.ErrDeadlineExceeded {
				t.Errorf("Write behind it: %d, %v", r.n, r.err)
			}
		}
		s.wantAlive(t)
	})
}

func TestDeadlineThatIsPutOff(t *testing.T) {
	eachPipe(t, func(t *testing.T, s *testSession, theirs net.Conn) {
		c := s.channel(t, "data", nil)
		c.SetWriteDeadline(time.Now().Add(time.Second))
		done := goWrite(c, make([]byte, 10))
		readFrames(t, theirs, len(encode(frame{0, TypeOpen, "data"})))
		synctest.Wait()
		c.SetWriteDeadline(time.Now().Add(time.Minute))
		advance(30 * time.Second)
		readFrames(t, theirs, 12)
		if r := <-done; r.n != 10 || r.err != nil {
			t.Errorf("Write: %d, %v", r.n, r.err)
		}
	})
}

func TestBlockedWriteEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(s *testSession, c *Channel, theirs net.Conn)
		want error
	}{
		{"session closed", func(s *testSession, _ *Channel, _ net.Conn) { s.Close(nil) }, net.ErrClosed},
		{"connection lost", func(_ *testSession, _ *Channel, theirs net.Conn) { theirs.Close() }, net.ErrClosed},
		{"channel closed", func(_ *testSession, c *Channel, theirs net.Conn) { c.Close(); go io.Copy(io.Discard, theirs) }, net.ErrClosed},
		{"channel ended", func(_ *testSession, c *Channel, theirs net.Conn) { c.End(); go io.Copy(io.Discard, theirs) }, ErrChannelEnded},
		{"destroyed by the receiver", func(_ *testSession, _ *Channel, theirs net.Conn) {
			theirs.Write(encode(frame{0, TypeReceiverDestroy, ""}))
			go io.Copy(io.Discard, theirs)
		}, ErrChannelEnded},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachPipe(t, func(t *testing.T, s *testSession, theirs net.Conn) {
				c := s.channel(t, "data", nil)
				done := goWrite(c, make([]byte, 1<<20))
				synctest.Wait()
				behind := goWrite(c, make([]byte, 1))
				readFrames(t, theirs, len(encode(frame{0, TypeOpen, "data"}))+1000)
				synctest.Wait()
				test.do(s, c, theirs)
				if r := <-done; !errors.Is(r.err, test.want) && !(test.name == "connection lost" && r.err != nil) {
					t.Errorf("Write: %d, %v, want %v", r.n, r.err, test.want)
				}
				if r := <-behind; r.err == nil {
					t.Errorf("Write behind it: %d", r.n)
				}
			})
		})
	}
}

// TestEndWhileAWriteWaits ends a channel whose data is not written yet: the end
// frame is the last of it.
func TestEndWhileAWriteWaits(t *testing.T) {
	eachPipe(t, func(t *testing.T, s *testSession, theirs net.Conn) {
		c, other := s.channel(t, "data", nil), s.channel(t, "other", nil)
		first := goWrite(other, make([]byte, maxDataFrame))
		readFrames(t, theirs, len(encode(frame{1, TypeOpen, "other"})))
		synctest.Wait()
		second := goWrite(c, []byte("x"))
		synctest.Wait()
		c.End()
		if r := <-second; r.n != 0 || r.err != ErrChannelEnded {
			t.Errorf("Write: %d, %v", r.n, r.err)
		}
		want := []frame{{1, TypeData, string(make([]byte, maxDataFrame))}, {0, TypeOpen, "data"}, {0, TypeEnd, ""}}
		diffFrames(t, "sent", readFrames(t, theirs, len(encode(want...))), want)
		<-first
	})
}

// TestControlBehindABlockedWriteIsSlow has a message wait for data that nobody
// reads.
func TestControlBehindABlockedWriteIsSlow(t *testing.T) {
	eachPipe(t, func(t *testing.T, s *testSession, theirs net.Conn) {
		pxp, data := s.channel(t, "pxp", nil), s.channel(t, "data", nil)
		done := goWrite(data, make([]byte, 1<<20))
		readFrames(t, theirs, len(encode(frame{1, TypeOpen, "data"})))
		advance(time.Hour)
		s.wantAlive(t) // data alone may wait for ever
		start := time.Now()
		pxp.Send([]byte("x"))
		s.wantEnd(t, ErrSlowPeer)
		if d := time.Since(start); d != defaultWriteTimeout {
			t.Errorf("ended after %v", d)
		}
		if r := <-done; r.err == nil {
			t.Error("Write succeeded")
		}
	})
}

// TestDataWhileAReceiverBlocks writes while the read loop holds answers back
// behind a receiver that waits for that very Write.
func TestDataWhileAReceiverBlocks(t *testing.T) {
	eachPipe(t, func(t *testing.T, s *testSession, theirs net.Conn) {
		var pxp *Channel
		pxp = s.channel(t, "pxp", receiverFunc(func(p []byte) error { return pxp.Send(p) }))
		written := make(chan struct{})
		data := s.channel(t, "data", receiverFunc(func([]byte) error { <-written; return nil }))
		go theirs.Write(encode(frame{0, TypeOpen, "pxp"}, frame{1, TypeOpen, "data"}, frame{0, TypeData, "?"}, frame{1, TypeData, "x"}))
		synctest.Wait()
		done := goWrite(data, []byte("y"))
		want := []frame{{0, TypeOpen, "pxp"}, {0, TypeData, "?"}, {1, TypeOpen, "data"}, {1, TypeData, "y"}}
		diffFrames(t, "sent", readFrames(t, theirs, len(encode(want...))), want)
		<-done
		close(written)
	})
}

// TestEverythingAtOnce runs two sessions against each other, with all that an
// application may do at once and deadlines that cut it off, and checks that
// what was taken arrives, in order, and nothing else.
func TestEverythingAtOnce(t *testing.T) {
	for _, kind := range []string{"gather", "copy", "tcp"} {
		t.Run(kind, func(t *testing.T) {
			var conns [2]net.Conn
			switch kind {
			case "tcp":
				conns[0], conns[1] = tcpPair(t)
			default:
				conns[0], conns[1] = net.Pipe()
				if kind == "gather" {
					conns[0], conns[1] = &gatherPipe{conns[0]}, &gatherPipe{conns[1]}
				}
			}
			var sides [2]*side
			for i, conn := range conns {
				sides[i] = newSide(t, conn, uint64(i))
			}
			var all sync.WaitGroup
			for _, side := range sides {
				all.Go(func() { side.run(t) })
			}
			all.Wait()
			for i, side := range sides {
				side.check(t, sides[1-i])
			}
		})
	}
}

// side is one node of TestEverythingAtOnce: it writes on some channels, sends
// on others, and ends each.
type side struct {
	session  *testSession
	channels []*Channel
	received []*endRecorder
	sent     [][]byte
	seed     uint64
}

// noise is what the sides send pieces of.
var noise = func() []byte {
	b := make([]byte, 6*maxDataFrame)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}()

// endRecorder tells when the other side ended its half.
type endRecorder struct {
	recorder
	ended chan struct{}
}

func (r *endRecorder) End() { r.recorder.End(); close(r.ended) }

func newSide(t testing.TB, conn net.Conn, seed uint64) *side {
	s := &side{session: runSession(t, conn, Config{MaxQueueBytes: -1}), seed: seed}
	for i := range 6 {
		r := &endRecorder{ended: make(chan struct{})}
		s.received = append(s.received, r)
		s.channels = append(s.channels, s.session.channel(t, fmt.Sprint("channel ", i), r))
	}
	s.sent = make([][]byte, len(s.channels))
	return s
}

func (s *side) run(t testing.TB) {
	var all sync.WaitGroup
	for i, c := range s.channels {
		all.Go(func() {
			random := rand.New(rand.NewPCG(s.seed, uint64(i)))
			for range 40 {
				from := random.IntN(len(noise) / 2)
				p := noise[from : from+random.IntN(100)+1]
				if i%2 == 0 {
					p = noise[from : from+random.IntN(len(noise)/2)+1]
				}
				s.sent[i] = append(s.sent[i], p[:s.send(t, c, i%2 == 0, p, random)]...)
			}
			c.SetWriteDeadline(time.Time{})
			c.Send([]byte("last"))
			s.sent[i] = append(s.sent[i], "last"...)
			c.End()
		})
	}
	all.Wait()
	for _, r := range s.received {
		<-r.ended
	}
}

// send sends or writes p, under a deadline that is mostly too short, and
// returns how much of it was taken.
func (s *side) send(t testing.TB, c *Channel, write bool, p []byte, random *rand.Rand) int {
	if !write {
		if err := c.Send(p); err != nil {
			t.Errorf("Send: %v", err)
		}
		return len(p)
	}
	if random.IntN(4) > 0 {
		c.SetWriteDeadline(time.Now().Add(time.Duration(random.IntN(100)) * time.Microsecond))
	} else {
		c.SetWriteDeadline(time.Time{})
	}
	n, err := c.Write(p)
	if err != nil && err != os.ErrDeadlineExceeded || err == nil && n < len(p) {
		t.Errorf("Write: %d of %d, %v", n, len(p), err)
	}
	return n
}

func (s *side) check(t testing.TB, other *side) {
	for i, r := range s.received {
		if !bytes.Equal(r.got, other.sent[i]) {
			t.Errorf("channel %d received %d bytes, %d were sent", i, len(r.got), len(other.sent[i]))
		}
	}
}
