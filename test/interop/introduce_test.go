//go:build interop

package interop

import "testing"

// TestIntroduction has every kind of seed introduce every kind of asker to every
// kind of candidate, who then talk over WebRTC.
func TestIntroduction(t *testing.T) {
	forEachRole(t, generations, func(t *testing.T, gen generation, l link, seed, asker, candidate maker) {
		introduce(newScenario(t), gen, l, seed, asker, candidate)
	})
}

// forEachRole runs a table of who is the seed, who asks, and who is found.
func forEachRole(t *testing.T, gens []generation, run func(t *testing.T, gen generation, l link, seed, asker, candidate maker)) {
	for _, gen := range gens {
		for _, l := range []link{{"tcp", false}, {"websocket", false}} {
			for _, seed := range both {
				for _, asker := range both {
					for _, candidate := range both {
						if !anyGo(seed, asker, candidate) {
							continue
						}
						name := string(gen) + "/" + l.String() + "/" + seed.label + "-seed/" + asker.label + "-asks-for-" + candidate.label
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

func introduce(s scenario, gen generation, l link, seeds, asks, isFound maker) {
	var seed participant
	npmSeed := gen == v1 && seeds.label == inNode.label
	if npmSeed {
		// It may throw, and drop those it introduced: TestPublishedSeedDropsPeers.
		seed = startNode(s.T, gen, "seed", map[string]any{"guard": true})
	} else {
		seed = seeds.start(s.T, gen, "seed")
	}
	candidate := isFound.start(s.T, gen, "candidate")
	asker := asks.start(s.T, gen, "asker")

	at := s.accept(seed, l)
	s.acceptWebRTC(candidate)
	toSeed := s.connect(candidate, at)
	s.echo(candidate, toSeed, 0, "seed")
	via := s.connect(asker, at)

	found := s.getNewPeer(asker, via, candidate)
	s.echo(asker, found, payload, "candidate")
	s.echo(candidate, s.await(candidate, "asker"), payload, "asker")

	if !npmSeed {
		s.echo(asker, via, payload, "seed")
		s.echo(candidate, toSeed, payload, "seed")
	}
}

// TestDirectCandidate has a candidate that accepts on an address, which v0
// announces: the asker dials it itself. It begins to accept after it connected to
// the seed, and stops while it is connected.
func TestDirectCandidate(t *testing.T) {
	forEachRole(t, []generation{v0}, func(t *testing.T, gen generation, l link, seeds, asks, isFound maker) {
		s := newScenario(t)
		seed := seeds.start(t, gen, "seed")
		candidate := isFound.start(t, gen, "candidate")
		asker := asks.start(t, gen, "asker")

		at := s.accept(seed, l)
		toSeed := s.connect(candidate, at)
		via := s.connect(asker, at)
		_, err := asker.getNewPeer(s.ctx, via)
		wantNoCandidates(t, gen, asker, err)

		s.accept(candidate, l)
		// An echo from the seed comes after the seed read the announcement.
		s.echo(candidate, toSeed, 0, "seed")
		found := s.getNewPeer(asker, via, candidate)
		s.echo(asker, found, payload, "candidate")
		back := s.await(candidate, "asker")
		s.echo(candidate, back, payload, "asker")

		s.must(candidate.unaccept(s.ctx, l.transport))
		s.echo(candidate, toSeed, 0, "seed")
		_, err = asker.getNewPeer(s.ctx, via)
		wantNoCandidates(t, gen, asker, err)
		// Who is connected stays so.
		s.echo(asker, found, 1, "candidate")
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
	s := newScenario(t)
	seed := startNode(t, v1, "seed", map[string]any{"guard": true})
	candidate, asker, toSeed, via := pairAt(s, seed)
	for range maxIntroductions {
		// Both have closed their relays before they say anything to the seed again.
		_, err := draw(s.ctx, asker, via, true)
		if err == nil {
			_, err = asker.request(s.ctx, via, 1)
		}
		if err == nil {
			_, err = candidate.request(s.ctx, toSeed, 1)
		}
		if err != nil {
			s.must(seed.await(s.ctx, "a peer to be dropped", func(peers []peerInfo) bool {
				return countConnected(peers) < len(peers)
			}))
			return
		}
	}
	t.Errorf("the published seed kept its peers in %d introductions; it used to drop them", maxIntroductions)
}

// TestSeedKeepsPeers shows that a Go seed keeps them, however often.
func TestSeedKeepsPeers(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	seed := inGo.start(t, v1, "seed")
	candidate, asker, toSeed, via := pairAt(s, seed)
	for range maxIntroductions {
		found := s.getNewPeer(asker, via, candidate)
		s.echo(asker, found, 1, "candidate")
		s.echo(asker, via, 1, "seed")
		s.echo(candidate, toSeed, 1, "seed")
	}
	s.awaitCount(seed, 2)
}

// pairAt connects two npm 2.x nodes to a seed.
func pairAt(s scenario, seed participant) (candidate, asker participant, toSeed, via int) {
	s.Helper()
	candidate = inNode.start(s.T, v1, "candidate")
	asker = inNode.start(s.T, v1, "asker")
	at := s.accept(seed, link{transport: "tcp"})
	toSeed = s.connect(candidate, at)
	via = s.connect(asker, at)
	s.awaitCount(seed, 2)
	return candidate, asker, toSeed, via
}
