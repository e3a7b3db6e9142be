//go:build e2e

package e2e

import (
	"context"
	"testing"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// A node is drained, as for maintenance: its seeds go to the other one, each after it was
// drained, and are published there. Nothing runs beside this test.
func TestNodeDrained(t *testing.T) {
	n := newSpace(t).network("demo", `{exposure: {type: NodePort}, drainSeconds: 20}`)
	a, b, talk := n.pair()
	n.documentServed() // a seed that goes names the other one
	from := n.status().Seeds[0].NodeName
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), afterTime)
		defer cancel()
		if _, err := kind.Kubectl(ctx, "uncordon", from); err != nil {
			t.Error(err)
		}
	})
	n.kubectl("drain", from, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=3m")
	status := n.await("all seeds are published on the other node", func(p *v1.PeerNetwork) bool {
		for _, seed := range p.Status.Seeds {
			if seed.NodeName == from {
				return false
			}
		}
		return settled(p)
	}).Status
	if len(status.Seeds) != 2 {
		t.Errorf("there are %d seeds, want 2", len(status.Seeds))
	}
	talk.goesOn()
	for _, connected := range []*node{a, b} {
		eventually(t, "a node is at a seed again", func() bool { return len(connected.seeds()) > 0 })
	}
	n.reachable(2)
}
