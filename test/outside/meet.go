package outside

import (
	"cmp"
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/peerexchange/peerexchange/test/clients"
)

// way is how a client starts.
type way struct {
	clients.Maker
	seed   int
	scheme string
}

// Meet has Go nodes, and unmodified npm clients in Node and in Chromium, start from
// published addresses of different seeds, each in another way. All of a generation find
// each other and exchange data over WebRTC.
func Meet(t *testing.T, n Network) {
	inGo, inNode, inTab := n.Lab.InGo(), n.Lab.InNode(), n.Lab.InTab()
	for gen, ways := range map[clients.Generation][]way{
		clients.V0: {{inNode, 0, "wss"}, {inNode, 1, "ws"}, {inTab, 1, "wss"}, {inTab, 1, "ws"}, {inGo, 0, "tls"}, {inGo, 1, "wss"}},
		// In generation 1 no node has an identity, so those of one address are at one seed.
		clients.V1: {{inNode, 0, "wss"}, {inNode, 0, "ws"}, {inNode, 1, "wss"}, {inTab, 1, "wss"}, {inGo, 1, "wss"}},
	} {
		t.Run(string(gen), func(t *testing.T) {
			t.Parallel()
			meet(clients.NewScenario(t), n, gen, ways)
		})
	}
}

func meet(s clients.Scenario, n Network, gen clients.Generation, ways []way) {
	nodes := make([]clients.Node, len(ways))
	names := make([]string, len(ways))
	via := make([]int, len(ways))
	for i, way := range ways {
		names[i] = fmt.Sprintf("%s-%s-%d", gen, way.Label, i)
		nodes[i] = way.Start(s.T, gen, names[i])
		s.AcceptWebRTC(nodes[i])
		via[i] = s.Connect(nodes[i], n.endpoint(s.T, way.seed, way.scheme))
	}
	all, ctx := errgroup.WithContext(s.Ctx)
	for i, node := range nodes {
		all.Go(func() error { return findAll(ctx, node, via[i], names[i], names) })
	}
	s.Must(all.Wait())
	for i, node := range nodes {
		s.EchoTo(node, names[(i+1)%len(names)], clients.Payload/16)
	}
	s.NoTroubles(nodes...)
}

// findTime is what there is for one draw, and then for the peer that was found to tell its
// name. Either may come to nothing: while nobody else is here, another seed is what is
// found, which has no application.
const findTime = 10 * time.Second

// findAll asks a seed for peers until the node is connected to all of names but itself,
// whoever of the two asked: a Go node is offered nobody any more once all have found it.
func findAll(ctx context.Context, p clients.Node, via int, self string, names []string) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		missing := clients.MissingOf(p.Peers(), self, names)
		if len(missing) == 0 {
			return nil
		}
		err := findOne(ctx, p, via)
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%s does not find %v: %w", self, missing, cmp.Or(err, ctx.Err()))
		}
	}
}

// findOne asks a seed for a peer, and that one for its name.
func findOne(ctx context.Context, p clients.Node, via int) error {
	draw, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	id, err := p.GetNewPeer(draw, via)
	if err != nil {
		return err
	}
	answer, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	_, err = p.Request(answer, id, 1000)
	return err
}
