package exchange

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/memory"
)

// claim connects to a node and says to be the one with an instance.
func (w *world) claim(from string, to *node, instance string) *raw {
	w.t.Helper()
	r := w.dialRaw(from, to).listen(false)
	r.write(opens(0, "pxp"))
	r.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"agent":"x","instance":"%s"}}`, instance)
	r.line(`{"command":"helloack"}`)
	synctest.Wait()
	return r
}

// pairs runs a test with each of two nodes as that with the smaller instance, which
// decides between two connections.
func pairs(t *testing.T, test func(t *testing.T, w *world, n, victim *node)) {
	for _, smaller := range []bool{true, false} {
		t.Run(fmt.Sprintf("smaller %t", smaller), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				n, victim := w.seed("10.0.0.1"), w.seed("10.0.0.2")
				if (n.instance < victim.instance) != smaller {
					n, victim = victim, n
				}
				test(t, w, n, victim)
			})
		})
	}
}

// Instances are no secret. Whoever says to be somebody else does not get that one
// disconnected, whether it comes first or second, and who has dialed whom.
func TestImpostorCutsNobody(t *testing.T) {
	for _, outgoing := range []bool{false, true} {
		for _, first := range []bool{false, true} {
			for _, apart := range []time.Duration{0, time.Minute} {
				t.Run(fmt.Sprintf("outgoing %t, impostor first %t, %v apart", outgoing, first, apart), func(t *testing.T) {
					pairs(t, func(t *testing.T, w *world, n, victim *node) {
						impostor := func() { w.claim("10.0.9.9", n, victim.instance) }
						if first {
							impostor()
							time.Sleep(apart)
						}
						var p, other *Peer
						if outgoing {
							p = n.connect(victim)
							other = victim.next()
						} else {
							other = victim.connect(n)
							synctest.Wait()
							for _, each := range n.Peers() {
								if each.addr == hostOf(stringAddr(victim.host)) {
									p = each
								}
							}
						}
						if !first {
							time.Sleep(apart)
							impostor()
						}
						time.Sleep(10 * time.Minute)
						if p == nil || p.Err() != nil || other.Err() != nil {
							t.Fatalf("the connection has ended: %v", other.Err())
						}
						talk(t, p, other)
					})
				})
			}
		}
	}
}

// Who is seen at the same address is taken for who it says to be: a second connection
// that its dialer leaves standing is ended.
func TestSecondConnectionFromOneAddressEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.seed("10.0.0.1")
		const instance = "0123456789abcdef0123456789abcdef"
		first := w.claim("10.0.0.2", n, instance)
		second := w.claim("10.0.0.2", n, instance)
		if len(n.Peers()) != 2 || second.closed() {
			t.Error("a second connection does not stand at all")
		}
		time.Sleep(n.rivalryTime() / 2)
		third := w.claim("10.0.0.2", n, instance) // which will be alone with the first
		time.Sleep(2 * n.rivalryTime())
		if first.closed() || !second.closed() || !third.closed() {
			t.Errorf("the first is closed: %t, the second: %t, the third: %t", first.closed(), second.closed(), third.closed())
		}
	})
}

// A peer that stands beside an older one of its instance does not hold on to it when
// that one has gone: else a node that comes again and again leaves all of them behind.
func TestOlderConnectionIsForgotten(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.seed("10.0.0.1")
		const instance = "0123456789abcdef0123456789abcdef"
		first := w.claim("10.0.0.2", n, instance)
		older := n.next()
		w.claim("10.0.0.2", n, instance)
		p := n.next()
		if p.rival != older {
			t.Fatal("two connections of one node are not known to be")
		}
		first.conn.Close()
		synctest.Wait()
		if p.rival != nil {
			t.Error("a connection that has ended is held by the one that came after it")
		}
	})
}

// Another node may lead this one to an impostor, which must not keep it from the node
// that its application has named.
func TestChosenNodeOusts(t *testing.T) {
	pairs(t, func(t *testing.T, w *world, n, victim *node) {
		impostor := w.node("10.0.9.9")
		impostor.instance = victim.instance
		impostor.accept(transports.WebRTC, 0)
		between := w.seed("10.0.0.3")
		impostor.connect(between)
		led := n.finds(n.connect(between))
		if led.Instance() != victim.instance {
			t.Fatalf("the node is led to %s", led.Instance())
		}
		p, err := n.Connect(ctx, transports.TCP, victim.host, transports.Options{Port: 1000})
		if err != nil {
			t.Fatal(err)
		}
		talk(t, p, victim.next())
		time.Sleep(10 * time.Minute)
		if p.Err() != nil || led.Err() == nil {
			t.Errorf("the node has ended the connection that was chosen: %v, and that with the impostor: %v", p.Err(), led.Err())
		}
	})
}

// Two nodes that each dial the other keep one connection also if they have several
// addresses, as often with WebRTC.
func TestCrossedDialsFromDifferentAddresses(t *testing.T) {
	for _, apart := range []time.Duration{0, time.Second} {
		for range 8 {
			inWorld(t, func(t *testing.T, w *world) {
				var nodes [2]*node
				for i := range nodes {
					nodes[i] = w.seed(fmt.Sprintf("10.0.0.%d", i+1), func(cfg *Config) {
						cfg.Transports[0] = w.network.New(memory.Config{Name: transports.WebSocket, Address: fmt.Sprintf("10.5.0.%d", i+1)}).Direct()
					})
					if err := nodes[i].Accept(ctx, transports.WebSocket, transports.Options{Port: 2000, Host: fmt.Sprintf("10.5.0.%d", i+1)}); err != nil {
						t.Fatal(err)
					}
				}
				a, b := nodes[0], nodes[1]
				results := make(chan error, 2)
				go func() {
					_, err := a.Connect(ctx, transports.WebSocket, "10.5.0.2", transports.Options{Port: 2000})
					results <- err
				}()
				go func() {
					time.Sleep(apart)
					_, err := b.Connect(ctx, transports.TCP, a.host, transports.Options{Port: 1000})
					results <- err
				}()
				for range 2 {
					if err := <-results; err != nil && !errors.Is(err, ErrDuplicate) && !errors.Is(err, io.EOF) {
						t.Error(err)
					}
				}
				time.Sleep(closeLinger) // which is when the other node learns of it
				synctest.Wait()
				if len(a.Peers()) != 1 || len(b.Peers()) != 1 {
					t.Fatalf("%d and %d peers", len(a.Peers()), len(b.Peers()))
				}
				talk(t, a.Peers()[0], b.Peers()[0])
			})
		}
	}
}
