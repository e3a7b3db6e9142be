//go:build interop

package interop

import (
	"slices"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
)

// TestFirstMessageComesLate has the WebRTC of Node do what it does now and then: it
// hands what comes second on a data channel to the client before the first. Go nodes
// send one message until they are answered, so nothing of theirs is second. npm
// clients send more, so that connection is lost, and nobody is to blame for it.
func TestFirstMessageComesLate(t *testing.T) {
	for _, gen := range clients.Generations {
		for _, asks := range both {
			t.Run(string(gen)+"/"+asks.Label+"-asks", func(t *testing.T) {
				t.Parallel()
				s := clients.NewScenario(t)
				asker, candidate, via, toSeed := metAt(s, gen, asks, "late")
				found := s.GetNewPeer(asker, via, candidate)
				s.Echo(asker, found, clients.Payload, "candidate")
				s.Echo(candidate, toSeed, 0, "seed")
				s.NoTroubles(candidate)
			})
		}
	}
}

// TestFirstMessageIsNoPXP makes sure that a npm client which says so is heard.
func TestFirstMessageIsNoPXP(t *testing.T) {
	t.Parallel()
	s := clients.NewScenario(t)
	asker, candidate, via, toSeed := metAt(s, clients.V1, inGo, "garbled")
	if _, err := asker.GetNewPeer(s.Ctx, via); err == nil {
		t.Error("found a candidate that was told nothing")
	}
	s.Echo(candidate, toSeed, 0, "seed")
	if got, want := candidate.Troubles(), []string{"Invalid magic value, peer not using PXP"}; !slices.Equal(got, want) {
		t.Errorf("the candidate told its application %q, want %q", got, want)
	}
}

// metAt connects an asker, and a candidate in Node to whose first data channel
// something happens, to a seed.
func metAt(s clients.Scenario, gen clients.Generation, asks clients.Maker, first string) (asker, candidate clients.Node, via, toSeed int) {
	seed := inGo.Start(s.T, gen, "seed")
	at := s.Accept(seed, clients.WS)
	candidate = lab.StartProcess(s.T, gen, "candidate", map[string]any{"first": first})
	s.AcceptWebRTC(candidate)
	toSeed = s.Connect(candidate, at)
	s.Echo(candidate, toSeed, 0, "seed")
	asker = asks.Start(s.T, gen, "asker")
	return asker, candidate, s.Connect(asker, at), toSeed
}
