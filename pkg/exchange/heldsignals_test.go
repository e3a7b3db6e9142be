package exchange

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// half is a signal of 15 KiB that lacks its end.
var half = `{"candidate":{"candidate":"` + strings.Repeat("x", 15<<10)

// holders are peers at one address that have begun a signal in each of many relays.
func (w *world) holders(seed *node, from string, peers, relays int) (askers []*raw) {
	w.t.Helper()
	for range peers {
		asker := w.dialRaw(from, seed).shakeV0("")
		for i := range relays {
			asker.line(`{"command":"getPeer","reqId":"r"}`)
			nonce, _ := asker.message()["nonce"].(string)
			if nonce == "" {
				w.t.Fatalf("relay %d: nobody was offered", i)
			}
			asker.write(opens(uint64(i+1), "relay:"+nonce) + data(uint64(i+1), half))
			time.Sleep(100 * time.Millisecond)
		}
		askers = append(askers, asker)
	}
	synctest.Wait()
	return askers
}

// heldByRelays is what all relays of a node hold, by what their guards say.
func (n *node) heldByRelays() (bytes int) {
	t := &n.relayTimes
	t.mu.Lock()
	defer t.mu.Unlock()
	for r := t.first; r != nil; r = r.next {
		bytes += r.guard.Held(wire.FromAsker) + r.guard.Held(wire.FromCandidate)
	}
	return bytes
}

// One address has as many relays as it may, and a half line in each of them.
func TestHeldSignalsOfOneAddress(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		var candidates []*raw
		for i := range 8 {
			candidates = append(candidates, w.dialRaw(fmt.Sprintf("10.1.%d.1", i), seed).shakeV0(`"webrtc":{}`))
		}
		const peers, relays = 6, 40
		askers := w.holders(seed, "10.2.0.1", peers, relays)
		limit := seed.limits.HeldSignalBytesPerIP
		if got := seed.Exchange.held.count; got != seed.heldByRelays() || got > limit || got < limit*3/4 {
			t.Errorf("%d bytes are counted and %d held, want the same and little less than %d", got, seed.heldByRelays(), limit)
		}
		refused := int(seed.Stats().Refused["held-signal-bytes-per-ip"])
		if stand := seed.Stats().Relays; refused == 0 || stand+refused != peers*relays {
			t.Errorf("%d relays stand and %d were refused, want %d together", stand, refused, peers*relays)
		}
		// Whoever is at another address has a signal passed on that comes in pieces.
		asker := w.dialRaw("10.3.0.1", seed).shakeV0("")
		asker.line(`{"command":"getPeer","reqId":"r"}`)
		nonce := asker.message()["nonce"].(string)
		offer := `{"type":"offer","sdp":` + quoted(offerSDP) + "}\n"
		asker.write(opens(2, "relay:"+nonce) + data(2, offer[:300]))
		synctest.Wait()
		asker.write(data(2, offer[300:]))
		arrived := ""
		for _, c := range candidates {
			payload, _ := c.came("relay:" + nonce)
			arrived += payload
		}
		if arrived != offer {
			t.Errorf("of the offer of somebody else arrived %q", arrived)
		}
		for _, r := range append(askers, candidates...) {
			if r.closed() || r.destroyed() {
				t.Error("a peer was disconnected or told to drop the connection")
			}
		}
		time.Sleep(seed.limits.RelayTime)
		synctest.Wait()
		if h := &seed.Exchange.held; h.count != 0 || len(h.byIP) != 0 || seed.Stats().Relays != 0 {
			t.Errorf("%d bytes of %d addresses are counted after the relays' time", h.count, len(h.byIP))
		}
	})
}

func TestHeldSignalsInTotal(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", limited("held-signal-bytes", "128KiB"))
		w.dialRaw("10.1.0.1", seed).shakeV0(`"webrtc":{}`)
		const addresses, relays = 5, 4
		for i := range addresses {
			w.holders(seed, fmt.Sprintf("10.2.%d.1", i), 1, relays)
		}
		if got := seed.Exchange.held.count; got != seed.heldByRelays() || got > 128<<10 || got < 96<<10 {
			t.Errorf("%d bytes are counted and %d held, want the same and little less than 128 KiB", got, seed.heldByRelays())
		}
		stats := seed.Stats()
		if refused := int(stats.Refused["held-signal-bytes"]); refused == 0 || stats.Relays+refused != addresses*relays {
			t.Errorf("%d relays stand, refused %v", stats.Relays, stats.Refused)
		}
	})
}

// What a relay holds is given back when its signal is complete, and when a peer is gone.
func TestHeldSignalsAreGivenBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		candidate := fmt.Sprintf(someCandidate, 1) + "\n"
		offer := `{"type":"offer","sdp":` + quoted(offerSDP) + "}\n"
		in.asker.write(data(2, candidate)) // which waits for the offer
		synctest.Wait()
		counted := in.seed.Exchange.held.count
		if counted < len(candidate) || counted != in.seed.heldByRelays() {
			t.Errorf("%d bytes are counted for a candidate of %d", counted, len(candidate))
		}
		in.asker.write(data(2, offer[:100]))
		synctest.Wait()
		if got := in.seed.Exchange.held.count; got < counted+100 || got != in.seed.heldByRelays() {
			t.Errorf("%d bytes are counted for half a line more, want 100 more than %d", got, counted)
		}
		in.asker.write(data(2, offer[100:]))
		if got := in.arrived(in.candidate); got != offer+candidate {
			t.Fatalf("arrived %q", got)
		}
		if got := in.seed.Exchange.held.count; got != 0 {
			t.Errorf("%d bytes are counted after the line's end", got)
		}
		in.candidate.write(data(2, half))
		synctest.Wait()
		if got := in.seed.Exchange.held.count; got < len(half) {
			t.Errorf("%d bytes are counted for the candidate's half of %d", got, len(half))
		}
		in.asker.conn.Close()
		synctest.Wait()
		if h := &in.seed.Exchange.held; h.count != 0 || len(h.byIP) != 0 {
			t.Errorf("%d bytes are counted after the relay", h.count)
		}
	})
}

// To count costs no allocation, however often lines come in pieces.
func TestHoldAllocatesNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		end := &in.seed.relayTimes.first.ends[wire.FromAsker]
		allocations := testing.AllocsPerRun(100, func() {
			for _, held := range []int{0, 100, 50, 0} {
				if limit, ok := end.hold(held); !ok {
					t.Fatal(limit)
				}
			}
		})
		if allocations > 0 {
			t.Errorf("%v allocations", allocations)
		}
	})
}
