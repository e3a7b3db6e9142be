//go:build e2e

package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// A seed is killed: nobody at the other one notices, and the next one is published where
// it is.
func TestSeedKilled(t *testing.T) {
	t.Parallel()
	n := newSpace(t).network("demo", `{exposure: {type: NodePort}, drainSeconds: 5}`)
	a, b, talk := n.pair()
	old := n.pod(0)
	n.kubectl("delete", "pod", old.Name, "--grace-period=0", "--force")
	next := n.awaitPod(0, "another pod is ready", func(pod *corev1.Pod) bool { return pod.UID != old.UID && isReady(pod) })
	n.await("the next seed is published where it is", func(p *v1.PeerNetwork) bool {
		return settled(p) && p.Status.Seeds[0].NodeName == next.Spec.NodeName
	})
	eventually(t, "nodes are at a seed", func() bool { return len(a.seeds()) > 0 && len(b.seeds()) > 0 })
	talk.goesOn()
	n.reachable(2)
}

// The operator is killed while it replaces the seeds: another one brings it to its end.
func TestOperatorKilled(t *testing.T) {
	t.Parallel()
	n := newSpace(t).network("demo", `{exposure: {type: NodePort}, drainSeconds: 5, replicas: 3}`)
	_, _, talk := n.pair()
	n.change(`{exposure: {type: NodePort}, drainSeconds: 5, replicas: 3, pod: {annotations: {rollout: second}}}`)
	n.await("a seed is being replaced", func(p *v1.PeerNetwork) bool {
		return holds(p, v1.ConditionProgressing, v1.ReasonRollingOut) && p.Status.ReadyReplicas < 3
	})
	n.kubectl("delete", "pod", "--selector", "app.kubernetes.io/name=peerexchange-operator", "--grace-period=0", "--force")
	n.settled()
	for ordinal := range 3 {
		if pod := n.pod(ordinal); pod.Annotations["rollout"] != "second" {
			t.Errorf("%s was not replaced", pod.Name)
		}
	}
	talk.goesOn()
	n.reachable(3)
}

// reachable sees that a new node comes to that many seeds at the published addresses.
func (n *network) reachable(seeds int) {
	n.t.Helper()
	late := n.newNode(seeds, -1)
	eventually(n.t, "a new node is at "+itoa(seeds)+" seeds", func() bool { return len(late.seeds()) == seeds })
}

// pod is that of a seed.
func (n *network) pod(ordinal int) *corev1.Pod {
	n.t.Helper()
	var pod corev1.Pod
	n.get(n.seedName(ordinal), &pod)
	return &pod
}

func (n *network) awaitPod(ordinal int, what string, ok func(*corev1.Pod) bool) *corev1.Pod {
	n.t.Helper()
	return await(n.space, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: n.seedName(ordinal)}}, &corev1.PodList{}, what, ok)
}

func isReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
