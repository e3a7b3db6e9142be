//go:build interop

package interop

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestSwarm has four nodes that know only one seed find each other, all at once.
func TestSwarm(t *testing.T) {
	for _, gen := range generations {
		for _, who := range []struct {
			label string
			nodes []maker
		}{
			{"npm", []maker{inNode, inNode, inNode, inNode}},
			{"mixed", []maker{inNode, inGo, inNode, inGo}},
		} {
			t.Run(string(gen)+"/"+who.label, func(t *testing.T) {
				t.Parallel()
				s := newScenario(t)
				seed := inGo.start(t, gen, "seed")
				at := s.accept(seed, link{transport: "websocket"})

				nodes := make([]participant, len(who.nodes))
				via := make([]int, len(nodes))
				names := make([]string, len(nodes))
				for i, node := range who.nodes {
					names[i] = fmt.Sprintf("node-%d", i)
					nodes[i] = node.start(t, gen, names[i])
					s.acceptWebRTC(nodes[i])
					via[i] = s.connect(nodes[i], at)
					s.echo(nodes[i], via[i], 0, "seed")
				}
				group, ctx := errgroup.WithContext(s.ctx)
				for i := range nodes {
					group.Go(func() error { return findAll(ctx, nodes[i], via[i], names[i], names) })
				}
				s.must(group.Wait())
				// Nobody was dropped by the seed on the way.
				for i, node := range nodes {
					s.echo(node, via[i], 1, "seed")
				}
				s.awaitCount(seed, len(nodes))
			})
		}
	}
}

// maxDraws is how often a node asks for a peer at most. The published clients
// get, or choose, a random one each time: that one of three others is not among
// 60 has odds of 1 to 10^10.
const maxDraws = 60

// findAll asks for peers until the node is connected to all of names but itself,
// whoever of the two asked.
func findAll(ctx context.Context, p participant, via int, self string, names []string) error {
	var missing []string
	for range maxDraws {
		missing = nil
		for _, name := range names {
			if name != self && !slices.ContainsFunc(p.peers(), func(peer peerInfo) bool {
				return peer.connected && peer.name == name
			}) {
				missing = append(missing, name)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		id, err := draw(ctx, p, via, !p.isGo())
		if err != nil {
			return err
		}
		if _, err := p.request(ctx, id, 1000); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s did not find %v in %d draws", self, missing, maxDraws)
}

// TestGenerationsApart has a node of each generation at one seed, which must not
// introduce them: they could not understand each other.
func TestGenerationsApart(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	seed := inGo.start(t, v0, "seed")
	at := s.accept(seed, link{transport: "websocket"})
	for _, gen := range generations {
		node := inNode.start(t, gen, string(gen))
		s.acceptWebRTC(node)
		via := s.connect(node, at)
		s.echo(node, via, 0, "seed")
		defer func() {
			_, err := node.getNewPeer(s.ctx, via)
			wantNoCandidates(t, gen, node, err)
		}()
	}
}
