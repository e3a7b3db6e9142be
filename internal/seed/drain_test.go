package seed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// maintained is a client that stays connected to one seed, and fails the test if
// it is ever without one.
type maintained struct {
	*exchange.Exchange
	over     atomic.Bool // what the test does
	watchers sync.WaitGroup
}

func startMaintained(t *testing.T, seeds []string, peers int) *maintained {
	t.Helper()
	m := &maintained{}
	ways := webrtc.New(webrtc.Config{})
	ex, err := exchange.New(t.Name(), exchange.Config{
		Transports: []transports.Transport{websocket.New(websocket.Config{}), tcp.New(tcp.Config{}), ways},
		OnPeer: func(p *exchange.Peer) {
			if p.DialedURL() == "" {
				return
			}
			m.watchers.Go(func() {
				<-p.Done()
				if m.seeds() == 0 && !m.over.Load() {
					t.Errorf("without a seed when %s has gone", p.DialedURL())
				}
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Exchange = ex
	keeper, err := exchange.NewMaintainer(ex, exchange.MaintainerConfig{
		Seeds: seeds, SeedConnections: 1, Peers: peers,
		MinBackoff: 10 * time.Millisecond, MaxBackoff: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := make(chan struct{})
	go func() { keeper.Run(context.Background()); close(kept) }()
	t.Cleanup(func() {
		m.over.Store(true)
		ex.Close()
		<-kept
		m.watchers.Wait()
		ways.Close()
	})
	return m
}

// seeds is how many seeds are connected.
func (m *maintained) seeds() (n int) {
	for _, p := range m.Peers() {
		if p.DialedURL() != "" {
			n++
		}
	}
	return n
}

// meets waits until another node is connected.
func (m *maintained) meets(ctx context.Context, t *testing.T, other *maintained) *exchange.Peer {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		for _, p := range m.Peers() {
			if p.Instance() == other.Instance() {
				return p
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatal("the two clients do not meet")
		}
	}
}

// freePort is one that a seed can be started on, again and again: of an address
// that nobody else uses, not even for connections that it makes.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.77.%d.%d:0", rand.IntN(256), 1+rand.IntN(254)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestRollingRestart drains each of three seeds and starts it anew, twice. Two
// clients have a seed at every moment, and what they say to each other meanwhile
// arrives, every byte of it. Seeds of a mesh tell the clients of each other; those
// of seeds that know of no other have to know all.
func TestRollingRestart(t *testing.T) {
	t.Run("of a mesh", func(t *testing.T) { testRollingRestart(t, true) })
	t.Run("of seeds that know of no other", func(t *testing.T) { testRollingRestart(t, false) })
}

func testRollingRestart(t *testing.T, linked bool) {
	ctx := testContext(t)
	configs := make([]Config, 3)
	var urls []string
	for i := range configs {
		cfg := testConfig(t)
		if linked {
			cfg = meshConfig(t, oneSecret)
		}
		cfg.Listen, cfg.WebRTCListen = "", ""
		cfg.ListenPlain = freePort(t)
		cfg.DrainTimeout = stepTime
		configs[i] = cfg
		urls = append(urls, "ws://"+cfg.ListenPlain)
	}
	known := urls
	if linked {
		known = urls[:1]
		for i := range configs {
			configs[i].Advertise = urls[i : i+1]
			for _, other := range configs {
				configs[i].MeshPeers = append(configs[i].MeshPeers, "tcp://"+other.ListenPlain)
			}
		}
	}
	seeds := []*testSeed{startSeed(t, configs[0])} // where the two meet

	a, b := startMaintained(t, known, 1), startMaintained(t, known, -1)
	if err := b.Accept(ctx, transports.WebRTC, transports.Options{}); err != nil {
		t.Fatal(err)
	}
	from, to := a.meets(ctx, t, b), b.meets(ctx, t, a)
	var sent atomic.Uint64
	enough := make(chan struct{})
	var talking sync.WaitGroup
	talking.Go(func() {
		defer from.Close()
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for {
			if _, err := from.Write(binary.BigEndian.AppendUint64(nil, sent.Load())); err != nil {
				t.Errorf("after %d numbers: %v", sent.Load(), err)
				return
			}
			sent.Add(1)
			select {
			case <-pace.C:
			case <-enough:
				return
			}
		}
	})
	talking.Go(func() {
		var number [8]byte
		for next := uint64(0); ; next++ {
			if _, err := io.ReadFull(to, number[:]); err != nil {
				<-enough
				if next != sent.Load() || !errors.Is(err, io.EOF) {
					t.Errorf("%d numbers of %d arrived: %v", next, sent.Load(), err)
				}
				return
			}
			if got := binary.BigEndian.Uint64(number[:]); got != next {
				t.Errorf("number %d arrived in place of %d", got, next)
				return
			}
		}
	})

	for _, cfg := range configs[1:] {
		seeds = append(seeds, startSeed(t, cfg))
	}
	for round := range 6 {
		i := round % 3
		if linked {
			for _, s := range seeds {
				eventually(t, "all know where the others are", func() bool {
					named := 0
					for _, sibling := range s.exchange.Siblings() {
						named += len(sibling.Addresses)
					}
					return named == 2
				})
			}
		}
		before := sent.Load()
		seeds[i].Drain()
		if err := <-seeds[i].ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		seeds[i].ended <- nil
		seeds[i] = startSeed(t, configs[i])
		for sent.Load() == before {
			select {
			case <-from.Done():
				t.Fatalf("the two clients are not connected any more: %v", from.Err())
			case <-time.After(time.Millisecond):
			}
		}
	}
	close(enough)
	talking.Wait()
	for _, m := range []*maintained{a, b} {
		if m.seeds() == 0 {
			t.Error("a client is without a seed in the end")
		}
		m.over.Store(true)
	}
}

// TestDrainDisconnectsOneAfterTheOther has clients that know nothing of goaway be
// disconnected in the time that there is, and not at once. Ctrl-C is what does that.
func TestDrainDisconnectsOneAfterTheOther(t *testing.T) {
	for name, end := range map[string]func(*testSeed){"drain": func(s *testSeed) { s.Drain() }, "shutdown": func(s *testSeed) { s.end() }} {
		t.Run(name, func(t *testing.T) {
			ctx := testContext(t)
			cfg := testConfig(t)
			cfg.DrainTimeout = stepTime
			if name == "drain" {
				cfg.DrainTimeout = 2 * time.Second
			}
			s := startSeed(t, cfg)
			var clients []*exchange.Peer
			for range 10 {
				p, err := newNode(t, exchange.V1).Connect(ctx, transports.WebSocket, "127.0.0.1", transports.Options{Port: s.plain})
				if err != nil {
					t.Fatal(err)
				}
				clients = append(clients, p)
			}
			s.await(ctx, t, len(clients))
			end(s)
			if err := <-s.ended; err != nil {
				t.Errorf("Run: %v", err)
			}
			s.ended <- nil
			for _, p := range clients {
				select {
				case <-p.Done():
				case <-ctx.Done():
					t.Fatal("a client is still connected")
				}
				if err := p.Err(); err != io.EOF {
					t.Errorf("a client was told %v, want a goodbye", err)
				}
			}
		})
	}
}
