package exchange

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// negotiating counts the negotiations that a transport is asked for.
type negotiating struct {
	transports.Negotiator
	now, most, all atomic.Int64
}

func (n *negotiating) Negotiate(ctx context.Context, role transports.Role, signals transports.Signaling) (net.Conn, error) {
	n.all.Add(1)
	now := n.now.Add(1)
	defer n.now.Add(-1)
	for most := n.most.Load(); now > most && !n.most.CompareAndSwap(most, now); most = n.most.Load() {
	}
	return n.Negotiator.Negotiate(ctx, role, signals)
}

// counts has a node's negotiations counted.
func (n *negotiating) counts(cfg *Config) {
	for i, t := range cfg.Transports {
		if negotiator, ok := t.(transports.Negotiator); ok {
			n.Negotiator = negotiator
			cfg.Transports[i] = n
		}
	}
}

// incoming has the node negotiate with somebody who says nothing.
func (r *raw) incoming(v1 bool, i int) {
	if v1 {
		r.line(`["incoming","%d",["n%d"]]`, i, i)
		return
	}
	r.line(`{"command":"incoming","nonce":"n%d","transport":"webrtc"}`, i)
}

// TestNegotiationFlood has the peers at one address ask for as many negotiations as
// they can, in both generations. Others are introduced to the node all the while.
func TestNegotiationFlood(t *testing.T) {
	const perIP = 6
	for name, v1 := range map[string]bool{"v0": false, "v1": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var counted negotiating
				seed := w.seed("10.0.0.1", counted.counts, limited("negotiations-per-ip", fmt.Sprint(perIP)), limited("relays-per-peer", "4"))
				seed.accept(transports.WebRTC, 0)
				between := w.seed("10.0.1.1")
				between.accept(transports.WebSocket, 1001)
				between.connect(seed)

				var flood []*raw
				for range 5 {
					r := w.dialRaw("10.9.9.9", seed)
					if v1 {
						r.shakeV1("null")
					} else {
						r.shakeV0("")
					}
					flood = append(flood, r)
				}
				// noTCP leaves websocket, to the one in between, and webrtc, to the seed.
				noTCP := func(cfg *Config) { cfg.Transports = cfg.Transports[:2] }
				for round := range 3 {
					for i := range 10 {
						for _, r := range flood {
							r.incoming(v1, 10*round+i)
						}
					}
					synctest.Wait()
					if got := counted.now.Load(); got != perIP {
						t.Errorf("%d negotiations are in progress, want %d", got, perIP)
					}
					n := w.node(fmt.Sprintf("10.0.2.%d", round+1), noTCP)
					introducer, err := n.Connect(ctx, transports.WebSocket, between.host, transports.Options{Port: 1001})
					if err != nil {
						t.Fatal(err)
					}
					p, err := introducer.GetNewPeer(ctx)
					if err != nil {
						t.Fatalf("another node is not introduced: %v", err)
					}
					if p.Instance() != seed.Instance() || p.Transport() != transports.WebRTC {
						t.Errorf("it is introduced to %s over %s", p.RemoteAddress(), p.Transport())
					}
					n.Close()
					time.Sleep(seed.config.RequestTimeout + seed.limits.RelayTime)
					if got := counted.now.Load(); got != 0 {
						t.Errorf("%d negotiations do not end", got)
					}
				}
				if got := counted.most.Load(); got > perIP+1 {
					t.Errorf("there were %d negotiations at a time", got)
				}
				if got := seed.Stats().Refused; got["negotiations-per-ip"] == 0 || got["relays-per-peer"] == 0 {
					t.Errorf("refused %v", got)
				}
				for _, r := range flood {
					if r.closed() {
						t.Error("a peer was disconnected")
					}
				}
			})
		})
	}
}

// TestNegotiationsThatFailAtOnce has one after the other fail as fast as it can.
func TestNegotiationsThatFailAtOnce(t *testing.T) {
	const perIP, seconds = 4, 10
	inWorld(t, func(t *testing.T, w *world) {
		var counted negotiating
		seed := w.seed("10.0.0.1", counted.counts, limited("negotiations-per-ip", fmt.Sprint(perIP)))
		seed.accept(transports.WebRTC, 0)
		r := w.dialRaw("10.9.9.9", seed).shakeV0("")
		start := time.Now()
		for i := 0; time.Since(start) < seconds*time.Second; i++ {
			r.incoming(false, i)
			r.write(opens(uint64(i+1), fmt.Sprintf("relay:n%d", i)) + frame(uint64(i+1), mux.TypeEnd, ""))
			time.Sleep(20 * time.Millisecond)
			if got := counted.now.Load(); got != 0 {
				t.Fatalf("%d negotiations have not failed", got)
			}
		}
		if got := counted.all.Load(); got < perIP*seconds-perIP || got > perIP*seconds {
			t.Errorf("there were %d negotiations in %d s, want %d", got, seconds, perIP*seconds)
		}
		if r.closed() {
			t.Error("the peer was disconnected")
		}
	})
}

// TestNegotiations is about the limit in total, and that a place is free again when
// whoever took it is gone.
func TestNegotiations(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var counted negotiating
		seed := w.seed("10.0.0.1", counted.counts, limited("negotiations", "3"))
		seed.accept(transports.WebRTC, 0)
		var flood []*raw
		for i := range 5 {
			r := w.dialRaw(fmt.Sprintf("10.9.%d.9", i), seed).shakeV0("")
			r.incoming(false, i)
			synctest.Wait()
			flood = append(flood, r)
		}
		if got := counted.now.Load(); got != 3 {
			t.Errorf("%d negotiations are in progress, want 3", got)
		}
		if got := seed.Stats().Refused["negotiations"]; got != 2 {
			t.Errorf("%d were refused, want 2", got)
		}
		flood[0].conn.Close()
		time.Sleep(leastNegotiation + time.Millisecond)
		flood[4].incoming(false, 5)
		synctest.Wait()
		if got := counted.now.Load(); got != 3 || seed.Stats().Refused["negotiations"] != 2 {
			t.Errorf("%d negotiations are in progress when one has made room, want 3", got)
		}
	})
}

// where notes where the introducers are of those that a node negotiates with.
type where struct {
	transports.Negotiator
	introducers chan netip.Addr
}

func (w *where) Negotiate(ctx context.Context, role transports.Role, signals transports.Signaling) (net.Conn, error) {
	w.introducers <- signals.(transports.Introduced).Introducer()
	return w.Negotiator.Negotiate(ctx, role, signals)
}

// A transport is told where a peer is that introduces another one, in both generations.
// Of what siblings introduce nobody knows.
func TestTransportIsToldTheIntroducer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		noted := &where{introducers: make(chan netip.Addr, 2)}
		seed := w.seed("10.0.0.1", func(cfg *Config) {
			noted.Negotiator = cfg.Transports[1].(transports.Negotiator)
			cfg.Transports[1] = noted
		})
		seed.accept(transports.WebRTC, 0)
		w.dialRaw("10.1.0.1", seed).shakeV0("").incoming(false, 1)
		if got, want := <-noted.introducers, netip.MustParseAddr("10.1.0.1"); got != want {
			t.Errorf("the introducer is at %v, want %v", got, want)
		}
		w.dialRaw("10.1.0.2", seed).shakeV1("null").incoming(true, 1)
		if got, want := <-noted.introducers, netip.MustParseAddr("10.1.0.2"); got != want {
			t.Errorf("the introducer is at %v, want %v", got, want)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		if _, link := w.linkedPair(); !link.Sibling() || link.introducesFrom().IsValid() {
			t.Errorf("what a sibling introduces comes from %v", link.introducesFrom())
		}
	})
}
