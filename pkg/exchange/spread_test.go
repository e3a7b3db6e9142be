package exchange

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
)

// crowd are candidates of one /24, and fewer of a /24 each.
func (w *world) crowd(one *node, many int, others *node, few int, greet func(*raw)) {
	w.t.Helper()
	for i := range many {
		greet(w.dialRaw(fmt.Sprintf("10.7.7.%d", i+1), one))
	}
	for i := range few {
		greet(w.dialRaw(fmt.Sprintf("10.8.%d.1", i), others))
	}
}

func acceptsTCP(r *raw) { r.shakeV0(`"tcp":{"port":7}`) }

// areSpread asks again and again, and is not to be answered with one /24 three
// times in a row.
func (r *raw) areSpread() {
	r.t.Helper()
	row, last := 0, netip.Prefix{}
	for i := range 200 {
		r.line(`{"command":"getPeer","reqId":"r%d"}`, i)
		address, _ := r.message()["address"].(string)
		network := networkOf(hostOf(stringAddr(address)))
		if !network.IsValid() {
			r.t.Fatalf("answer %d is %q", i, address)
		}
		if network != last {
			row, last = 0, network
		}
		if row++; row > 2 {
			r.t.Fatalf("answer %d is the third in a row of %s", i, network)
		}
	}
}

func TestAnswersAreSpreadOverNetworks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", limited("getpeer-per-second", "unlimited"))
		w.crowd(seed, 30, seed, 4, acceptsTCP)
		w.dialRaw("10.9.0.1", seed).shakeV0("").areSpread()
	})
}

// The same, where most candidates are at another seed, or the few are.
func TestAnswersAreSpreadAcrossSeeds(t *testing.T) {
	for name, at := range map[string]struct{ many, few int }{
		"many at the sibling": {1, 0}, "few at the sibling": {0, 1}, "all at the sibling": {1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seeds := w.meshOf(2, limited("getpeer-per-second", "unlimited"))
				w.crowd(seeds[at.many], 30, seeds[at.few], 4, acceptsTCP)
				settle()
				w.dialRaw("10.9.0.1", seeds[0]).shakeV0("").areSpread()
			})
		})
	}
}

// Who is of the network that the last answers were of is offered all the same if
// there is nobody else.
func TestAnswersOfTheOnlyNetwork(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2)
		w.crowd(seeds[1], 5, nil, 0, acceptsTCP)
		settle()
		asker := w.dialRaw("10.9.0.1", seeds[0]).shakeV0("")
		for i := range 10 {
			asker.line(`{"command":"getPeer","reqId":"r"}`)
			if address, _ := asker.message()["address"].(string); !strings.HasPrefix(address, "10.7.7.") {
				t.Errorf("answer %d is %q", i, address)
			}
		}
	})
}

// In generation 1 one answer lists several, of which the asker takes one: no more
// than two of one /24 while others have not given two.
func TestAnswersAreSpreadOverNetworksV1(t *testing.T) {
	for _, networks := range []int{10, 20} {
		inWorld(t, func(t *testing.T, w *world) {
			seed := w.seed("10.0.0.1", limited("getpeer-per-second", "unlimited"))
			w.crowd(seed, 30, seed, networks, func(r *raw) { r.shakeV1(`{"pxp":true,"relay":true,"webrtc":true}`) })
			asker := w.dialRaw("10.9.0.1", seed).shakeV1(`null`)
			v := seed.peerAt("10.9.0.1").dialect.(*v1)
			for i := range 20 {
				asker.line(`["getpeers","%d","net"]`, i)
				asker.take()
				listed := v.handedOut[len(v.handedOut)-candidatesPerRes:]
				many := 0
				for _, h := range listed {
					if networkOf(h.listing.peer.addr) == netip.MustParsePrefix("10.7.7.0/24") {
						many++
					}
				}
				if most := max(2, candidatesPerRes-networks); many > most {
					t.Fatalf("answer %d has %d of one /24 among %d others, want %d at most", i, many, networks, most)
				}
			}
		})
	}
}

// peerAt is the peer at an address.
func (n *node) peerAt(host string) *Peer {
	n.t.Helper()
	synctest.Wait()
	for _, p := range n.Peers() {
		if p.RemoteAddress() == host {
			return p
		}
	}
	n.t.Fatalf("no peer at %s", host)
	return nil
}
