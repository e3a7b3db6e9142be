package mux

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// tcpPair makes the two ends of a TCP connection over loopback.
func tcpPair(tb testing.TB) (dialed, accepted net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if dialed, err = net.Dial("tcp", l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if accepted, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { dialed.Close(); accepted.Close() })
	return dialed, accepted
}

// startSession runs a session until the test ends.
func startSession(tb testing.TB, conn net.Conn, cfg Config) *Session {
	s := New(conn, cfg)
	var ran sync.WaitGroup
	ran.Go(func() { s.Run() })
	tb.Cleanup(func() {
		s.Close(nil)
		ran.Wait()
		s.Wait()
	})
	return s
}

// relayTo sends what it receives on a channel of another session.
type relayTo struct{ to *Channel }

func (r relayTo) Receive(p []byte) error { return r.to.Send(p) }
func (r relayTo) End()                   { r.to.End() }

// BenchmarkRelay passes signals of 160 bytes from one session to another, both
// over TCP, some at a time. One operation is one frame: read, passed on, written.
func BenchmarkRelay(b *testing.B) {
	for _, batch := range []int{1, 16} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			from, fromSeed := tcpPair(b)
			toSeed, to := tcpPair(b)
			in, out := startSession(b, fromSeed, Config{}), startSession(b, toSeed, Config{})
			outgoing, err := out.Channel("relay:b", nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := in.Channel("relay:a", relayTo{outgoing}); err != nil {
				b.Fatal(err)
			}
			frame := appendFrame(nil, 2, TypeData, make([]byte, 160))
			first := append(appendFrame(nil, 2, TypeOpen, "relay:a"), frame...)
			if _, err := from.Write(first); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(to, make([]byte, len(first))); err != nil {
				b.Fatal(err)
			}
			var burst []byte
			for range batch {
				burst = append(burst, frame...)
			}
			got := make([]byte, len(burst))
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += batch {
				if _, err := from.Write(burst); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(to, got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// count counts what it receives and tells when all of it is there.
type count struct {
	left int
	all  chan struct{}
}

func (c *count) Receive(p []byte) error {
	if c.left -= len(p); c.left == 0 {
		c.all <- struct{}{}
	}
	return nil
}

func (c *count) End() {}

// BenchmarkData sends 64 KiB at a time through two sessions over TCP and, in
// turns, through a plain TCP connection with a buffer of that size. The ratio is
// the median of those of all turns, which other load on the machine hardly
// changes.
func BenchmarkData(b *testing.B) {
	const turn = 8 << 20
	buf, into := make([]byte, maxDataFrame), make([]byte, maxDataFrame)
	from, to := tcpPair(b)
	plain := func() {
		var reader sync.WaitGroup
		reader.Go(func() {
			for left := turn; left > 0; {
				n, err := to.Read(into)
				if err != nil {
					b.Error(err)
					return
				}
				left -= n
			}
		})
		for range turn / len(buf) {
			if _, err := from.Write(buf); err != nil {
				b.Fatal(err)
			}
		}
		reader.Wait()
	}

	muxFrom, muxTo := tcpPair(b)
	out, err := startSession(b, muxFrom, Config{}).Channel("data", nil)
	if err != nil {
		b.Fatal(err)
	}
	in := &count{all: make(chan struct{})}
	if _, err := startSession(b, muxTo, Config{}).Channel("data", in); err != nil {
		b.Fatal(err)
	}
	muxed := func() {
		in.left = turn
		for range turn / len(buf) {
			if _, err := out.Write(buf); err != nil {
				b.Fatal(err)
			}
		}
		<-in.all
	}

	var ratios []float64
	b.SetBytes(turn)
	for b.Loop() {
		b.StopTimer()
		start := time.Now()
		plain()
		plainTime := time.Since(start)
		b.StartTimer()
		start = time.Now()
		muxed()
		ratios = append(ratios, plainTime.Seconds()/time.Since(start).Seconds())
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "of-plain-TCP")
}

// sink is a connection that takes everything.
type sink struct{ net.Conn }

func (sink) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkIdleSession tells the heap that a session with its two usual
// channels takes after a handshake, without the connection and the goroutine.
func BenchmarkIdleSession(b *testing.B) {
	var before, after runtime.MemStats
	sessions := make([]*Session, b.N)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range sessions {
		s := New(sink{}, Config{})
		for id, name := range []string{"pxp", "data"} {
			c, err := s.Channel(name, nil)
			if err != nil {
				b.Fatal(err)
			}
			s.hold()
			if err := s.decoder.Feed(appendFrame(nil, uint64(id), TypeOpen, name), (*inbound)(s)); err != nil {
				b.Fatal(err)
			}
			c.Send(make([]byte, 200))
			s.settle()
		}
		sessions[i] = s
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "heap-B/session")
	runtime.KeepAlive(sessions)
}
