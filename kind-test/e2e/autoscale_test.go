//go:build e2e

package e2e

import (
	"testing"
)

// Peers come, and so do seeds; they go, and so do seeds after a while.
func TestAutoscaling(t *testing.T) {
	t.Parallel()
	n := newSpace(t).network("demo", `{exposure: {type: NodePort}, drainSeconds: 5,
		autoscaling: {minReplicas: 1, maxReplicas: 3, peersPerSeed: 2, scaleDownWindowSeconds: 5}}`)
	n.settledAt(1)
	var nodes []*node
	for range 5 {
		nodes = append(nodes, n.newNode(1, -1))
	}
	n.settledAt(3)
	n.reachable(3)
	for _, node := range nodes {
		node.Close()
	}
	n.settledAt(1)
	n.reachable(1)
}
