package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/memory"
)

var ctx = context.Background()

// protocols runs a test once for each generation that can be dialed.
func protocols(t *testing.T, test func(*testing.T, *world, func(*Config))) {
	for _, protocol := range []Protocol{V0, V1} {
		t.Run(protocol.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				test(t, w, func(cfg *Config) { cfg.Protocol = protocol })
			})
		})
	}
}

func TestConnect(t *testing.T) {
	protocols(t, func(t *testing.T, w *world, dials func(*Config)) {
		seed := w.seed("10.0.0.1")
		a := w.node("10.0.0.2", dials)
		ours := a.connect(seed)
		theirs := seed.next()
		if a.next() != ours {
			t.Error("OnPeer was called with another peer than Connect returned")
		}
		if !ours.Outgoing() || theirs.Outgoing() {
			t.Error("the dialer is not the outgoing side")
		}
		if got := ours.RemoteAddress(); got != "10.0.0.1" {
			t.Errorf("remote address %q", got)
		}
		if ours.Transport() != transports.TCP || theirs.Transport() != transports.TCP {
			t.Error("transport is not tcp")
		}
		if !slices.Equal(a.Peers(), []*Peer{ours}) || !slices.Equal(seed.Peers(), []*Peer{theirs}) {
			t.Error("Peers does not have the peer")
		}
		talk(t, ours, theirs)

		ours.Close()
		if ours.Err() == nil || len(a.Peers()) != 0 {
			t.Error("closed, but still there")
		}
		if n, err := theirs.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read after the other side closed: %d, %v", n, err)
		}
		<-theirs.Done()
		synctest.Wait()
		if len(seed.Peers()) != 0 {
			t.Error("the seed still has the peer")
		}
	})
}

func TestGetNewPeerNegotiated(t *testing.T) {
	protocols(t, func(t *testing.T, w *world, dials func(*Config)) {
		seed := w.seed("10.0.0.1")
		asker, candidate := w.node("10.0.0.2", dials), w.node("10.0.0.3", dials)
		candidate.accept(transports.WebRTC, 0)
		candidate.connect(seed)
		asker.connect(seed)
		asker.next()
		candidate.next()

		ours, err := asker.GetNewPeer(ctx)
		if err != nil {
			t.Fatal(err)
		}
		theirs := candidate.next()
		if ours.Transport() != transports.WebRTC || !ours.Outgoing() || theirs.Outgoing() {
			t.Errorf("%s, outgoing %v and %v", ours.Transport(), ours.Outgoing(), theirs.Outgoing())
		}
		talk(t, ours, theirs)
		synctest.Wait()
		if stats := seed.Stats(); stats.Relays != 0 || stats.RelaysOpened != 1 || len(stats.Refused) != 0 {
			t.Errorf("the seed: %+v", stats)
		}
		if len(seed.Peers()) != 2 {
			t.Error("the seed lost a peer")
		}
	})
}

func TestGetNewPeerDirect(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		candidate := w.node("10.0.0.3")
		candidate.connect(seed)
		candidate.accept(transports.WebSocket, 2000) // after the handshake: announced on its own
		synctest.Wait()
		asker := w.node("10.0.0.2")
		asker.connect(seed)
		p, err := asker.GetNewPeer(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if p.Transport() != transports.WebSocket || p.RemoteAddress() != "10.0.0.3" {
			t.Errorf("got %s at %s", p.Transport(), p.RemoteAddress())
		}
		if err := candidate.Unaccept(transports.WebSocket); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		late := w.node("10.0.0.4")
		late.connect(seed)
		if _, err := late.GetNewPeer(ctx); !errors.Is(err, ErrNoCandidates) {
			t.Errorf("after unaccept: %v", err)
		}
	})
}

func TestGetNewPeerFindsEverybodyOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		const n = 5
		var nodes []*node
		for i := range n {
			nodes = append(nodes, w.node(fmt.Sprintf("10.1.%d.1", i)))
			nodes[i].accept(transports.WebRTC, 0)
			nodes[i].connect(seed)
		}
		synctest.Wait() // the seed may be ready later than who connects to it
		for range n - 1 {
			if _, err := nodes[0].GetNewPeer(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(nodes[0].Peers()); got != n {
			t.Fatalf("%d peers, want the seed and %d others", got, n-1)
		}
		if _, err := nodes[0].GetNewPeer(ctx); !errors.Is(err, ErrNoCandidates) {
			t.Errorf("with everybody connected: %v", err)
		}
	})
}

func TestErrors(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		a := w.node("10.0.0.2")
		if _, err := a.GetNewPeer(ctx); !errors.Is(err, ErrNoPeers) {
			t.Errorf("GetNewPeer: %v", err)
		}
		if _, err := a.Connect(ctx, "carrier-pigeon", "10.0.0.1", transports.Options{}); !errors.Is(err, ErrUnknownTransport) {
			t.Errorf("Connect: %v", err)
		}
		if err := a.Accept(ctx, "carrier-pigeon", transports.Options{}); !errors.Is(err, ErrUnknownTransport) {
			t.Errorf("Accept: %v", err)
		}
		if err := seed.Accept(ctx, "TCP", transports.Options{Port: 1001}); !errors.Is(err, ErrAlreadyAccepting) {
			t.Errorf("Accept twice: %v", err)
		}
		if err := a.Unaccept(transports.TCP); !errors.Is(err, ErrNotAccepting) {
			t.Errorf("Unaccept: %v", err)
		}
		if _, err := seed.Connect(ctx, transports.TCP, "10.0.0.1", transports.Options{Port: 1000}); !errors.Is(err, ErrSelf) {
			t.Errorf("connect to itself: %v", err)
		}
		a.connect(seed)
		if _, err := a.Connect(ctx, transports.TCP, "10.0.0.1", transports.Options{Port: 1000}); !errors.Is(err, ErrDuplicate) {
			t.Errorf("connect twice: %v", err)
		}
		synctest.Wait()
		if len(a.Peers()) != 1 || len(seed.Peers()) != 1 {
			t.Errorf("%d and %d peers", len(a.Peers()), len(seed.Peers()))
		}
		if _, err := a.GetNewPeer(ctx); !errors.Is(err, ErrNoCandidates) {
			t.Errorf("GetNewPeer of an empty seed: %v", err)
		}
		stranger := w.node("10.0.0.3")
		stranger.Exchange.id = "other"
		if _, err := stranger.Connect(ctx, transports.TCP, "10.0.0.1", transports.Options{Port: 1000}); !errors.Is(err, ErrNetworkMismatch) {
			t.Errorf("other network: %v", err)
		}
		a.Close()
		if _, err := a.Connect(ctx, transports.TCP, "10.0.0.1", transports.Options{Port: 1000}); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if err := a.Accept(ctx, transports.TCP, transports.Options{Port: 1000}); !errors.Is(err, ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestNewRejects(t *testing.T) {
	if _, err := New("", Config{}); err == nil {
		t.Error("empty network ID")
	}
	bad := Config{}
	bad.Limits.ReceiveBufferBytes = 1
	if _, err := New("net", bad); err == nil {
		t.Error("tiny receive buffer")
	}
}

// Two nodes that dial each other at the same moment keep one connection, the
// same one.
func TestCrossedDials(t *testing.T) {
	for range 8 {
		inWorld(t, func(t *testing.T, w *world) {
			a, b := w.seed("10.0.0.1"), w.seed("10.0.0.2")
			results := make(chan error, 2)
			for _, pair := range [][2]*node{{a, b}, {b, a}} {
				go func() {
					_, err := pair[0].Connect(ctx, transports.TCP, pair[1].host, transports.Options{Port: 1000})
					results <- err
				}()
			}
			for range 2 {
				if err := <-results; err != nil && !errors.Is(err, ErrDuplicate) && !errors.Is(err, io.EOF) {
					t.Error(err)
				}
			}
			synctest.Wait()
			if len(a.Peers()) != 1 || len(b.Peers()) != 1 {
				t.Fatalf("%d and %d peers", len(a.Peers()), len(b.Peers()))
			}
			talk(t, a.Peers()[0], b.Peers()[0])
		})
	}
}

// When two nodes came to hold two connections to each other and one has to go,
// what was written on it until then still arrives.
func TestRetiredConnectionIsReadToTheEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.seed("10.0.0.1"), w.seed("10.0.0.2")
		if a.instance > b.instance {
			a, b = b, a
		}
		// b dials first; the connection that the smaller instance, a, dials stays.
		old := b.connect(a)
		oldAtA := a.next()
		b.next()
		kept := a.connect(b)
		if _, err := io.WriteString(old, "on the way"); err != nil && !errors.Is(err, ErrDuplicate) {
			t.Fatal(err)
		} else if err == nil {
			got := make([]byte, len("on the way"))
			if _, err := io.ReadFull(oldAtA, got); err != nil || string(got) != "on the way" {
				t.Errorf("read %q, %v", got, err)
			}
		}
		synctest.Wait()
		if _, err := oldAtA.Write([]byte("x")); !errors.Is(err, ErrDuplicate) {
			t.Errorf("write to a retired peer: %v", err)
		}
		if _, err := oldAtA.Read(make([]byte, 1)); !errors.Is(err, ErrDuplicate) && err != io.EOF {
			t.Errorf("read of a retired peer: %v", err)
		}
		if len(a.Peers()) != 1 || len(b.Peers()) != 1 || a.Peers()[0] != kept {
			t.Errorf("%d and %d peers", len(a.Peers()), len(b.Peers()))
		}
		talk(t, kept, b.Peers()[0])
	})
}

// When a connection is to go for another one, it is there until that one is, and if that
// one comes to nothing it stays.
func TestConnectionStaysUntilItsSuccessorIsReady(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.seed("10.0.0.1")
		l, err := w.network.New(memory.Config{Name: transports.TCP, Address: "10.0.0.2"}).Listen(ctx, transports.Options{Port: 1000})
		if err != nil {
			t.Fatal(err)
		}
		// Of two connections that which the smaller instance dialed stays.
		hello := `{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"agent":"x","instance":"` + strings.Repeat("0", 32) + `"}}`
		dialed := make(chan *Peer, 1)
		go func() {
			p, err := n.Connect(ctx, transports.TCP, "10.0.0.2", transports.Options{Port: 1000})
			if err != nil {
				t.Error(err)
			}
			dialed <- p
		}()
		conn, err := l.Accept()
		l.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		first := (&raw{t, conn, newRawFrames(), make(chan struct{})}).listen(false)
		first.write(opens(0, "pxp"))
		first.line("%s", hello)
		first.line(`{"command":"helloack"}`)
		old := <-dialed

		second := func() *raw {
			r := w.dialRaw("10.0.0.2", n).listen(false)
			r.write(opens(0, "pxp"))
			r.line("%s", hello)
			synctest.Wait()
			if got := n.Peers(); !slices.Equal(got, []*Peer{old}) || old.Err() != nil {
				t.Fatalf("during the second handshake there are the peers %v, and the first one has ended with %v", got, old.Err())
			}
			return r
		}
		fails := second()
		fails.conn.Close()
		second().line(`{"command":"helloack"}`)
		synctest.Wait()
		if got := n.Peers(); len(got) != 1 || got[0] == old || old.Err() != ErrDuplicate {
			t.Errorf("after it there are %v, and the first one has ended with %v, want %v", got, old.Err(), ErrDuplicate)
		}
		time.Sleep(closeLinger)
		if !first.closed() {
			t.Error("the first connection is still open")
		}
	})
}
