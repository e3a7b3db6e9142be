//go:build interop

package interop

import "testing"

// TestTabs has web pages meet each other, Node processes and Go nodes through a
// Go seed.
func TestTabs(t *testing.T) {
	for _, gen := range generations {
		for _, who := range []struct{ asks, isFound maker }{
			{inTab, inTab}, {inTab, inGo}, {inGo, inTab}, {inTab, inNode}, {inNode, inTab},
		} {
			t.Run(string(gen)+"/"+who.asks.label+"-asks-for-"+who.isFound.label, func(t *testing.T) {
				t.Parallel()
				s := newScenario(t)
				seed := inGo.start(t, gen, "seed")
				at := s.accept(seed, link{transport: "websocket"})
				candidate := who.isFound.start(t, gen, "candidate")
				asker := who.asks.start(t, gen, "asker")
				directly := gen == v0 && who.asks.label == inTab.label && who.isFound.label != inTab.label
				if directly {
					s.accept(candidate, link{transport: "tcp"})
				} else {
					s.acceptWebRTC(candidate)
				}
				toSeed := s.connect(candidate, at)
				s.echo(candidate, toSeed, 0, "seed")
				via := s.connect(asker, at)
				if directly {
					// A page says that it can dial tcp, and crashes when it is told to.
					_, err := asker.getNewPeer(s.ctx, via)
					wantNoCandidates(t, gen, asker, err)
					s.acceptWebRTC(candidate)
					s.echo(candidate, toSeed, 0, "seed")
				}

				found := s.getNewPeer(asker, via, candidate)
				s.echo(asker, found, payload, "candidate")
				s.echo(candidate, s.await(candidate, "asker"), payload, "asker")
				s.echo(asker, via, 1, "seed")
				s.echo(candidate, toSeed, 1, "seed")
			})
		}
	}
}
