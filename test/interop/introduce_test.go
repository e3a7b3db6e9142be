//go:build interop

package interop

import (
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
)

// TestIntroduction has every kind of seed introduce every kind of asker to every
// kind of candidate, who then talk over WebRTC.
func TestIntroduction(t *testing.T) {
	forEachRole(t, clients.Generations, func(t *testing.T, gen clients.Generation, l clients.Link, seed, asker, candidate clients.Maker) {
		introduce(clients.NewScenario(t), gen, l, seed, asker, candidate)
	})
}

// forEachRole runs a table of who is the seed, who asks, and who is found.
func forEachRole(t *testing.T, gens []clients.Generation, run func(t *testing.T, gen clients.Generation, l clients.Link, seed, asker, candidate clients.Maker)) {
	for _, gen := range gens {
		for _, l := range []clients.Link{clients.TCP, clients.WS} {
			for _, seed := range both {
				for _, asker := range both {
					for _, candidate := range both {
						if !clients.AnyGo(seed, asker, candidate) {
							continue
						}
						name := string(gen) + "/" + l.String() + "/" + seed.Label + "-seed/" + asker.Label + "-asks-for-" + candidate.Label
						t.Run(name, func(t *testing.T) {
							t.Parallel()
							run(t, gen, l, seed, asker, candidate)
						})
					}
				}
			}
		}
	}
}

func introduce(s clients.Scenario, gen clients.Generation, l clients.Link, seeds, asks, isFound clients.Maker) {
	var seed clients.Node
	npmSeed := gen == clients.V1 && seeds.Label == inNode.Label
	if npmSeed {
		// It may throw, and drop those it introduced: TestPublishedSeedDropsPeers.
		seed = lab.StartProcess(s.T, gen, "seed", map[string]any{"guard": true})
	} else {
		seed = seeds.Start(s.T, gen, "seed")
	}
	candidate := isFound.Start(s.T, gen, "candidate")
	asker := asks.Start(s.T, gen, "asker")

	at := s.Accept(seed, l)
	s.AcceptWebRTC(candidate)
	toSeed := s.Connect(candidate, at)
	s.Echo(candidate, toSeed, 0, "seed")
	via := s.Connect(asker, at)

	found := s.GetNewPeer(asker, via, candidate)
	s.Echo(asker, found, clients.Payload, "candidate")
	s.Echo(candidate, s.Await(candidate, "asker"), clients.Payload, "asker")

	if !npmSeed {
		s.Echo(asker, via, clients.Payload, "seed")
		s.Echo(candidate, toSeed, clients.Payload, "seed")
	}
}

// TestDirectCandidate has a candidate that accepts on an address, which v0
// announces: the asker dials it itself. It begins to accept after it connected to
// the seed, and stops while it is connected.
func TestDirectCandidate(t *testing.T) {
	forEachRole(t, []clients.Generation{clients.V0}, func(t *testing.T, gen clients.Generation, l clients.Link, seeds, asks, isFound clients.Maker) {
		s := clients.NewScenario(t)
		seed := seeds.Start(t, gen, "seed")
		candidate := isFound.Start(t, gen, "candidate")
		asker := asks.Start(t, gen, "asker")

		at := s.Accept(seed, l)
		toSeed := s.Connect(candidate, at)
		via := s.Connect(asker, at)
		_, err := asker.GetNewPeer(s.Ctx, via)
		wantNoCandidates(t, gen, asker, err)

		s.Accept(candidate, l)
		// An echo from the seed comes after the seed read the announcement.
		s.Echo(candidate, toSeed, 0, "seed")
		found := s.GetNewPeer(asker, via, candidate)
		s.Echo(asker, found, clients.Payload, "candidate")
		back := s.Await(candidate, "asker")
		s.Echo(candidate, back, clients.Payload, "asker")

		s.Must(candidate.Unaccept(s.Ctx, l.Transport))
		s.Echo(candidate, toSeed, 0, "seed")
		_, err = asker.GetNewPeer(s.Ctx, via)
		wantNoCandidates(t, gen, asker, err)
		// Who is connected stays so.
		s.Echo(asker, found, 1, "candidate")
	})
}

// maxIntroductions is how many it takes at most until a published 2.2.0 seed
// drops somebody: mostly one.
const maxIntroductions = 20

// TestPublishedSeedDropsPeers shows what the published 2.2.0 seed does to the
// peers that it introduces: it takes the way in which a 2.x client closes its
// relay for an error of the whole connection.
func TestPublishedSeedDropsPeers(t *testing.T) {
	t.Parallel()
	s := clients.NewScenario(t)
	seed := lab.StartProcess(t, clients.V1, "seed", map[string]any{"guard": true})
	candidate, asker, toSeed, via := pairAt(s, seed)
	for range maxIntroductions {
		// Both have closed their relays before they say anything to the seed again.
		_, err := clients.Draw(s.Ctx, asker, via, true)
		if err == nil {
			_, err = asker.Request(s.Ctx, via, 1)
		}
		if err == nil {
			_, err = candidate.Request(s.Ctx, toSeed, 1)
		}
		if err != nil {
			s.Must(seed.Await(s.Ctx, "a peer to be dropped", func(peers []clients.PeerInfo) bool {
				return clients.CountConnected(peers) < len(peers)
			}))
			return
		}
	}
	t.Errorf("the published seed kept its peers in %d introductions; it used to drop them", maxIntroductions)
}

// TestSeedKeepsPeers shows that a Go seed keeps them, however often.
func TestSeedKeepsPeers(t *testing.T) {
	t.Parallel()
	s := clients.NewScenario(t)
	seed := inGo.Start(t, clients.V1, "seed")
	candidate, asker, toSeed, via := pairAt(s, seed)
	for range maxIntroductions {
		found := s.GetNewPeer(asker, via, candidate)
		s.Echo(asker, found, 1, "candidate")
		s.Echo(asker, via, 1, "seed")
		s.Echo(candidate, toSeed, 1, "seed")
	}
	s.AwaitCount(seed, 2)
}

// pairAt connects two npm 2.x nodes to a seed.
func pairAt(s clients.Scenario, seed clients.Node) (candidate, asker clients.Node, toSeed, via int) {
	s.Helper()
	candidate = inNode.Start(s.T, clients.V1, "candidate")
	asker = inNode.Start(s.T, clients.V1, "asker")
	at := s.Accept(seed, clients.TCP)
	toSeed = s.Connect(candidate, at)
	via = s.Connect(asker, at)
	s.AwaitCount(seed, 2)
	return candidate, asker, toSeed, via
}
