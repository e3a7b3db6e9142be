//go:build apiserver

package operator

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
)

func (w *world) wantSeeds(when string, desired, set int32) {
	w.Helper()
	if is := w.network.Status.DesiredReplicas; is != desired {
		w.Errorf("%s: desired are %d seeds, want %d", when, is, desired)
	}
	if is := *w.set().Spec.Replicas; is != set {
		w.Errorf("%s: the StatefulSet has %d replicas, want %d", when, is, set)
	}
}

// Seeds come at once, and go after the window, one at a time, the next when the last has
// gone; a seed that does not tell its peers keeps all.
func TestAPIServerAutoscales(t *testing.T) {
	auto := &v1.Autoscaling{MinReplicas: 1, MaxReplicas: 4, PeersPerSeed: 100}
	w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}, Autoscaling: auto})
	pods := w.running(1)
	w.peers["demo-seed-0"] = 250
	w.settled()
	w.wantSeeds("with 250 peers", 3, 3)
	if told := strings.Join(w.told(), "\n"); !strings.Contains(told, "3 seeds instead of 1: there are 250 peers, for 100 a seed") {
		t.Errorf("told is %q", told)
	}
	for _, name := range []string{"demo-seed-1", "demo-seed-2"} {
		pods = append(pods, w.pod(name, pods[0].Spec.NodeName))
	}
	w.peers["demo-seed-0"] = 10
	w.settled()
	window := plan.Window(w.network.Spec.Autoscaling)
	w.now = w.now.Add(window - time.Second)
	w.settled()
	w.wantSeeds("within the window", 3, 3)

	w.silent["demo-seed-1"], w.silent["demo-seed-2"] = true, true
	w.now = w.now.Add(2 * time.Second)
	w.settled()
	w.wantSeeds("while seeds are silent", 3, 3)
	w.silent = map[string]bool{}
	w.settled() // the window begins again
	w.wantSeeds("after they were silent", 3, 3)

	w.told()
	w.now = w.now.Add(window)
	w.settled()
	w.wantSeeds("after the window", 2, 2)
	if told := strings.Join(w.told(), "\n"); !strings.Contains(told, "2 seeds instead of 3: there are 10 peers, for 100 a seed, and fewer seeds were enough for 10m0s") {
		t.Errorf("told is %q", told)
	}
	w.must(w.client.Delete(t.Context(), pods[2])) // it drains
	w.settled()
	w.now = w.now.Add(window)
	w.settled()
	w.wantSeeds("while one drains", 1, 2)
	w.gone(pods[2])
	w.settled()
	w.wantSeeds("after it has gone", 1, 1)
	w.gone(pods[1])
	w.now = w.now.Add(2 * window)
	w.settled()
	w.wantSeeds("at the least", 1, 1)
}

// What an operator knows of peers from before it was restarted may be old: it takes no
// seed away until it has asked, and a window has passed since then.
func TestAPIServerAutoscalesAfterRestart(t *testing.T) {
	auto := &v1.Autoscaling{MinReplicas: 1, MaxReplicas: 4, PeersPerSeed: 100}
	w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}, Autoscaling: auto})
	pods := w.running(1)
	w.peers["demo-seed-0"] = 150
	w.settled()
	pods = append(pods, w.pod("demo-seed-1", pods[0].Spec.NodeName))
	t.Cleanup(func() { w.gone(pods[1]) })
	w.peers["demo-seed-0"] = 10
	w.settled()
	if status := w.network.Status; status.Autoscaling == nil || status.Peers != 10 {
		t.Fatalf("the status is %+v, and fewer seeds are enough", status)
	}

	window := plan.Window(w.network.Spec.Autoscaling)
	w.now = w.now.Add(2 * window)
	w.unasked = true
	w.settled()
	w.wantSeeds("before a seed is asked", 2, 2)
	if peers := w.network.Status.Peers; peers != 10 {
		t.Errorf("the status has %d peers before a seed is asked, and had 10", peers)
	}
	w.unasked = false
	w.settled()
	w.wantSeeds("when seeds are asked", 2, 2)
	w.now = w.now.Add(window - time.Second)
	w.settled()
	w.wantSeeds("within the window", 2, 2)
	w.now = w.now.Add(time.Second)
	w.settled()
	w.wantSeeds("after the window", 1, 1)
}

// A network whose status is lost keeps the seeds that there are, and scales by peers as
// before.
func TestAPIServerAutoscalesAfterLostStatus(t *testing.T) {
	auto := &v1.Autoscaling{MinReplicas: 1, MaxReplicas: 4, PeersPerSeed: 100}
	w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}, Autoscaling: auto})
	w.running(1)
	w.peers["demo-seed-0"] = 250
	w.settled()
	w.wantSeeds("with 250 peers", 3, 3)
	w.peers["demo-seed-0"] = 10

	w.told()
	w.network.Status = v1.PeerNetworkStatus{}
	w.must(w.client.Status().Update(t.Context(), w.network))
	w.settled()
	w.wantSeeds("after the status is lost", 3, 3)
	if told := w.told(); hasTold(told, "Scaled", "") {
		t.Errorf("told is %q", told)
	}
}

// kubectl scale, and what else uses the scale subresource, changes the seeds there are
// to be; labels that others add to the StatefulSet stay.
func TestAPIServerScaleSubresource(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{})
	w.settled()
	set := w.set()
	set.Labels["example.org/mine"] = "yes"
	w.must(w.client.Update(t.Context(), set))
	if output, err := server.Kubectl("", "scale", "peernetwork/demo", "--replicas=5", "--namespace", w.network.Namespace); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	w.settled()
	w.wantSeeds("after kubectl scale", 5, 5)
	if set = w.set(); set.Labels["example.org/mine"] != "yes" {
		t.Errorf("the StatefulSet has the labels %v", set.Labels)
	}
}
