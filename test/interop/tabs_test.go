//go:build interop

package interop

import (
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
)

// TestTabs has web pages meet each other, Node processes and Go nodes through a
// Go seed.
func TestTabs(t *testing.T) {
	for _, gen := range clients.Generations {
		for _, who := range []struct{ asks, isFound clients.Maker }{
			{inTab, inTab}, {inTab, inGo}, {inGo, inTab}, {inTab, inNode}, {inNode, inTab},
		} {
			t.Run(string(gen)+"/"+who.asks.Label+"-asks-for-"+who.isFound.Label, func(t *testing.T) {
				t.Parallel()
				s := clients.NewScenario(t)
				seed := inGo.Start(t, gen, "seed")
				at := s.Accept(seed, clients.WS)
				candidate := who.isFound.Start(t, gen, "candidate")
				asker := who.asks.Start(t, gen, "asker")
				directly := gen == clients.V0 && who.asks.Label == inTab.Label && who.isFound.Label != inTab.Label
				if directly {
					s.Accept(candidate, clients.TCP)
				} else {
					s.AcceptWebRTC(candidate)
				}
				toSeed := s.Connect(candidate, at)
				s.Echo(candidate, toSeed, 0, "seed")
				via := s.Connect(asker, at)
				if directly {
					// A page says that it can dial tcp, and crashes when it is told to.
					_, err := asker.GetNewPeer(s.Ctx, via)
					wantNoCandidates(t, gen, asker, err)
					s.AcceptWebRTC(candidate)
					s.Echo(candidate, toSeed, 0, "seed")
				}

				found := s.GetNewPeer(asker, via, candidate)
				s.Echo(asker, found, clients.Payload, "candidate")
				s.Echo(candidate, s.Await(candidate, "asker"), clients.Payload, "asker")
				s.Echo(asker, via, 1, "seed")
				s.Echo(candidate, toSeed, 1, "seed")
			})
		}
	}
}
