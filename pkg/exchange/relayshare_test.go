package exchange

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// askAll sends more requests for a peer than there is room for relays.
func (r *raw) askAll() {
	for i := range 40 {
		r.line(`{"command":"getPeer","reqId":"r%d"}`, i)
	}
	synctest.Wait()
}

// Whoever has all relays set up that there can be, from one address, is in nobody's way:
// neither at the seed that the candidates are at, nor at a sibling.
func TestRelaysOfOneAddress(t *testing.T) {
	for name, sibling := range map[string]bool{"at the seed": false, "at a sibling": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seeds := w.meshOf(2, limited("relays-per-peer", "16"), limited("relays-per-sibling", "64"))
				at, asked := seeds[0], seeds[0]
				if sibling {
					asked = seeds[1]
				}
				for i := range 4 {
					w.dialRaw(fmt.Sprintf("10.20.%d.1", i), at).shakeV0(`"webrtc":{}`)
				}
				settle()
				for range 12 {
					w.dialRaw("10.30.0.1", asked).shakeV0("").askAll()
				}
				if relays := at.Stats().Relays; relays == 0 || relays > 4*16/2 {
					t.Errorf("one address has %d relays", relays)
				}
				honest := w.dialRaw("10.30.0.2", asked).shakeV0("")
				honest.line(`{"command":"getPeer","reqId":"r"}`)
				if m := honest.message(); m["transport"] != "webrtc" {
					t.Errorf("another one is answered %v", m)
				}
			})
		})
	}
}
