//go:build e2e

package e2e

import (
	"slices"
	"testing"
)

// More seeds, and fewer again: nodes keep their connections to each other, and those at
// seeds that go are at others before.
func TestScale(t *testing.T) {
	t.Parallel()
	n := newSpace(t).network("demo", `{exposure: {type: NodePort}, drainSeconds: 20}`)
	_, _, talk := n.pair()

	n.scale(4)
	all := n.addresses("wss")
	if len(all) != 4 {
		t.Fatalf("4 seeds are published at %v", all)
	}
	n.documentServed() // a seed that goes names those that stay
	// These know no seeds but those that are to go.
	leaving := n.newNodeWith(nodeConfig{addresses: all[2:], roots: n.roots(), seeds: 2, peers: -1})
	eventually(t, "a node is at both of the new seeds", func() bool { return len(leaving.seeds()) == 2 })
	talk.goesOn()

	n.scale(2)
	left := n.addresses("wss")
	if !slices.Equal(left, all[:2]) {
		t.Errorf("after fewer seeds %v are published, want the first two of %v", left, all)
	}
	// Seeds that go name each address of those that stay, with websockets and without.
	stay := append(n.addresses("tls"), left...)
	eventually(t, "the node is at seeds that stay", func() bool {
		at := leaving.seeds()
		return len(at) > 0 && !slices.ContainsFunc(at, func(seed string) bool { return !slices.Contains(stay, seed) })
	})
	talk.goesOn()
}

// scale scales as a person does, and waits until it is done.
func (n *network) scale(replicas int) {
	n.t.Helper()
	n.kubectl("scale", "pn/"+n.name, "--replicas", itoa(replicas))
	n.settledAt(replicas)
}
