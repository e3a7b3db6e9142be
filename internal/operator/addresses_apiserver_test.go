//go:build apiserver

package operator

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// both gives a node an address beside the one that it has.
func (w *world) both(name, address string) {
	w.Helper()
	node := &corev1.Node{}
	w.must(w.client.Get(w.Context(), client.ObjectKey{Name: name}, node))
	node.Status.Addresses = append(node.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeExternalIP, Address: address})
	w.must(w.client.Status().Update(w.Context(), node))
}

// wantAddresses wants these addresses of the only seed, and them published or not.
func (w *world) wantAddresses(when string, published bool, reason v1.SeedReason, want ...string) {
	w.Helper()
	seed := w.network.Status.Seeds[0]
	if seed.Reason != reason || seed.Reachable != published || !slices.Equal(seed.Addresses, want) {
		w.Errorf("%s: the seed is %+v, want %s at %q", when, seed, reason, want)
	}
	document := w.document()
	switch {
	case !published && (len(document.Seeds) != 0 || w.network.Status.Address != ""):
		w.Errorf("%s: published are %+v and %q", when, document, w.network.Status.Address)
	case published && (len(document.Seeds) != 1 || !slices.Equal(document.Seeds[0].Addresses, want) || w.network.Status.Address != want[0]):
		w.Errorf("%s: published are %+v and %q, want %q", when, document, w.network.Status.Address, want)
	}
}

// A seed is published at those of its addresses at which it was reached.
func TestAPIServerOneAddressOut(t *testing.T) {
	w := newWorld(t, *onHostPorts.DeepCopy())
	w.both(w.running(1)[0].Spec.NodeName, "2001:db8::7")
	w.settled()
	all := slices.Clone(w.network.Status.Seeds[0].Addresses)
	if len(all) < 2 || all[0] != "wss://203.0.113.100:8443" || all[1] != "wss://[2001:db8::7]:8443" {
		t.Fatalf("the seed is at %q", all)
	}
	w.wantAddresses("at first", true, v1.SeedReached, all...)

	w.told()
	w.out[all[1]] = v1.SeedDialFailed
	w.settled()
	rest := slices.Concat(all[:1], all[2:])
	w.wantAddresses("without one", true, v1.SeedDialFailed, rest...)
	w.wantConditions("Available True SeedsReachable", "Published True AllSeedsPublished: the addresses of 1 seed are published, without those that are not reached: demo-seed-0: nothing answers at "+all[1])
	if want, told := fmt.Sprintf("Normal Withdrawn %s (demo-seed-0: nothing answers at %s)", all[1], all[1]), w.told(); !slices.Contains(told, want) {
		t.Errorf("told is %q, want %q", told, want)
	}
	w.unasked = true
	w.settled()
	w.wantAddresses("after a restart", true, v1.SeedDialFailed, rest...)
	w.unasked = false

	w.out[all[0]] = v1.SeedDialFailed
	w.settled()
	w.wantAddresses("without the first", true, v1.SeedDialFailed, all[2:]...)

	clear(w.out)
	w.unreached[all[0]] = v1.SeedDialFailed
	w.settled()
	w.wantAddresses("without any", false, v1.SeedDialFailed, all...)
	w.wantConditions("Available False NoSeedReachable", "Published False SeedsWithheld: demo-seed-0: nothing answers at "+all[0])

	clear(w.unreached)
	w.settled()
	w.wantAddresses("again", true, v1.SeedReached, all...)
}

// A certificate that is not good for one address has Secrets be read anew once, and not
// each time that somebody looks.
func TestAPIServerOneAddressNotTrusted(t *testing.T) {
	w := newWorld(t, *onHostPorts.DeepCopy())
	w.both(w.running(1)[0].Spec.NodeName, "2001:db8::7")
	w.settled()
	all := slices.Clone(w.network.Status.Seeds[0].Addresses)
	w.out[all[1]] = v1.SeedTLSFailed
	for _, want := range []int{2, 1, 1} {
		w.looks = 0
		w.reconcile()
		if w.looks != want {
			t.Errorf("seeds were looked at %d times, want %d", w.looks, want)
		}
		w.wantAddresses("without one", true, v1.SeedTLSFailed, slices.Concat(all[:1], all[2:])...)
	}
}

// Node ports are reached by the families of the Service, which has one here, and host
// ports by those of the pod.
func TestAPIServerFamilies(t *testing.T) {
	t.Run("NodePort", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeNodePort}, Transports: []v1.TransportScheme{v1.SchemeWSS}})
		w.both(w.running(1)[0].Spec.NodeName, "2001:db8::7")
		w.settled()
		service := named[corev1.Service](w, "demo-seed-0")
		if families := service.Spec.IPFamilies; !slices.Equal(families, []corev1.IPFamily{corev1.IPv4Protocol}) {
			t.Fatalf("the Service is of %q", families)
		}
		w.wantAddresses("on node ports", true, v1.SeedReached, fmt.Sprintf("wss://203.0.113.100:%d", service.Spec.Ports[0].NodePort))
	})
	t.Run("HostPort", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}, Transports: []v1.TransportScheme{v1.SchemeWSS}})
		pod := w.running(1)[0]
		w.both(pod.Spec.NodeName, "2001:db8::7")
		w.get(pod)
		pod.Status.PodIP, pod.Status.PodIPs = "10.244.1.3", []corev1.PodIP{{IP: "10.244.1.3"}}
		w.must(w.client.Status().Update(t.Context(), pod))
		w.settled()
		w.wantAddresses("on host ports", true, v1.SeedReached, "wss://203.0.113.100:8443")
	})
}

// Of a seed whose TURN server is silent the document says so, also after a restart, and
// of one without TURN it says nothing.
func TestAPIServerSilentTURN(t *testing.T) {
	w := newWorld(t, *onHostPorts.DeepCopy())
	w.running(1)
	w.settled()
	for _, url := range w.network.Status.Seeds[0].TURNAddresses {
		w.out[url] = v1.SeedTURNFailed
	}
	w.settled()
	wantSilent := func(when string) {
		t.Helper()
		if seeds := w.document().Seeds; len(seeds) != 1 || seeds[0].TURN == nil || len(seeds[0].TURN) != 0 {
			t.Errorf("%s: published is %+v", when, seeds)
		}
	}
	wantSilent("at first")
	w.unasked = true
	w.settled()
	wantSilent("after a restart")
	w.unasked = false
	w.update(func(s *v1.PeerNetworkSpec) { s.TURN.Enabled = new(bool) })
	w.settled()
	if seeds := w.document().Seeds; len(seeds) != 1 || seeds[0].TURN != nil {
		t.Errorf("without TURN published is %+v", seeds)
	}
}
