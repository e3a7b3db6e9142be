//go:build interop

package interop

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/peerexchange/peerexchange/test/clients"
)

// TestSeedCommand runs the seed as people do, with nodes of both clients.Generations in
// Node, Chromium and Go at it, each connected in another way. All nodes of a
// generation find each other, and keep each other when the seed is told to end.
func TestSeedCommand(t *testing.T) {
	t.Parallel()
	s := clients.NewScenario(t)
	seed := authority.Start(t, t.Name(), "--turn-listen", "off")

	var (
		all       errgroup.Group
		everybody []clients.Node
		toSeed    []int
	)
	for _, gen := range clients.Generations {
		ways := []struct {
			clients.Maker
			to clients.Endpoint
		}{
			{inNode, seed.Plain.Over("websocket")},
			{inNode, seed.Secure.Over("websocket")},
			{inNode, seed.Plain.Over("tcp")},
			{inTab, seed.Secure.Over("websocket")},
			{inGo, seed.Secure.Over("websocket")},
			{inGo, seed.Secure.Over("tcp")},
		}
		nodes := make([]clients.Node, len(ways))
		names := make([]string, len(ways))
		via := make([]int, len(ways))
		for i, way := range ways {
			names[i] = fmt.Sprintf("%s-%s-%d", gen, way.Label, i)
			nodes[i] = way.Start(t, gen, names[i])
			s.AcceptWebRTC(nodes[i])
			via[i] = s.Connect(nodes[i], way.to)
		}
		everybody, toSeed = append(everybody, nodes...), append(toSeed, via...)
		for i, node := range nodes {
			all.Go(func() error { return clients.FindAll(s.Ctx, node, via[i], names[i], names) })
		}
		defer func() {
			for i, node := range nodes {
				s.EchoTo(node, names[(i+1)%len(names)], clients.Payload/16)
			}
		}()
	}
	s.Must(all.Wait())

	s.Must(seed.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-seed.End:
		if err != nil {
			t.Fatalf("the seed ended with %v", err)
		}
	case <-s.Ctx.Done():
		t.Fatal("the seed does not end after SIGTERM")
	}
	for i, node := range everybody {
		s.Must(node.Await(s.Ctx, "the seed to be gone", func(peers []clients.PeerInfo) bool {
			return !slices.ContainsFunc(peers, func(p clients.PeerInfo) bool { return p.ID == toSeed[i] && p.Connected })
		}))
	}
}
