//go:build interop

package interop

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/peerexchange/peerexchange/test/clients"
)

// TestSwarm has four nodes that know only one seed find each other, all at once.
func TestSwarm(t *testing.T) {
	for _, gen := range clients.Generations {
		for _, who := range []struct {
			label string
			nodes []clients.Maker
		}{
			{"npm", []clients.Maker{inNode, inNode, inNode, inNode}},
			{"mixed", []clients.Maker{inNode, inGo, inNode, inGo}},
		} {
			t.Run(string(gen)+"/"+who.label, func(t *testing.T) {
				t.Parallel()
				s := clients.NewScenario(t)
				seed := inGo.Start(t, gen, "seed")
				at := s.Accept(seed, clients.WS)

				nodes := make([]clients.Node, len(who.nodes))
				via := make([]int, len(nodes))
				names := make([]string, len(nodes))
				for i, node := range who.nodes {
					names[i] = fmt.Sprintf("node-%d", i)
					nodes[i] = node.Start(t, gen, names[i])
					s.AcceptWebRTC(nodes[i])
					via[i] = s.Connect(nodes[i], at)
					s.Echo(nodes[i], via[i], 0, "seed")
				}
				group, ctx := errgroup.WithContext(s.Ctx)
				for i := range nodes {
					group.Go(func() error { return clients.FindAll(ctx, nodes[i], via[i], names[i], names) })
				}
				s.Must(group.Wait())
				// Nobody was dropped by the seed on the way.
				for i, node := range nodes {
					s.Echo(node, via[i], 1, "seed")
				}
				s.AwaitCount(seed, len(nodes))
			})
		}
	}
}

// TestGenerationsApart has a node of each generation at one seed, which must not
// introduce them: they could not understand each other.
func TestGenerationsApart(t *testing.T) {
	t.Parallel()
	s := clients.NewScenario(t)
	seed := inGo.Start(t, clients.V0, "seed")
	at := s.Accept(seed, clients.WS)
	for _, gen := range clients.Generations {
		node := inNode.Start(t, gen, string(gen))
		s.AcceptWebRTC(node)
		via := s.Connect(node, at)
		s.Echo(node, via, 0, "seed")
		defer func() {
			_, err := node.GetNewPeer(s.Ctx, via)
			wantNoCandidates(t, gen, node, err)
		}()
	}
}
