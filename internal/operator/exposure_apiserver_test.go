//go:build apiserver

package operator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// balanced gives a Service the address of a load balancer, as the cluster's controller
// of these does.
func (w *world) balanced(service, address string) {
	w.Helper()
	live := named[corev1.Service](w, service)
	live.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
	w.must(w.client.Status().Update(w.Context(), live))
}

// A seed is published at the addresses that its exposure gives it, as soon as the
// cluster has, and withdrawn when it goes.
func TestAPIServerEveryExposure(t *testing.T) {
	balancer := func(udp v1.LoadBalancerUDP) v1.Exposure {
		return v1.Exposure{Type: v1.ExposeLoadBalancer, LoadBalancer: &v1.LoadBalancer{UDP: udp}}
	}
	fixed := func(address, turn string) func(*world) (string, string) {
		return func(*world) (string, string) { return address, turn }
	}
	for name, c := range map[string]struct {
		exposure v1.Exposure
		cluster  func(*world)                        // what controllers do after the pod is there
		want     func(*world) (address, turn string) // the first of each
	}{
		"ClusterIP": {v1.Exposure{Type: v1.ExposeClusterIP}, nil, func(w *world) (string, string) {
			host := "demo-seed-0.demo-seed." + w.network.Namespace + ".svc.cluster.local"
			return "wss://" + host + ":8443", "stun:" + host + ":3478"
		}},
		"ClusterIP with a domain": {v1.Exposure{Type: v1.ExposeClusterIP, Domain: "seeds.example.org"}, nil, func(*world) (string, string) {
			return "wss://0.seeds.example.org:443", "stun:0.seeds.example.org:3478"
		}},
		"NodePort": {v1.Exposure{Type: v1.ExposeNodePort}, nil, func(w *world) (string, string) {
			port := map[string]int32{}
			for _, one := range named[corev1.Service](w, "demo-seed-0").Spec.Ports {
				port[one.Name] = one.NodePort
			}
			return fmt.Sprintf("wss://203.0.113.100:%d", port["tls"]), fmt.Sprintf("stun:203.0.113.100:%d", port["turn-udp"])
		}},
		"HostPort":             {v1.Exposure{Type: v1.ExposeHostPort}, nil, fixed("wss://203.0.113.100:8443", "stun:203.0.113.100:3478")},
		"LoadBalancer, shared": {balancer(v1.UDPShared), func(w *world) { w.balanced("demo-seed-0", "198.51.100.5") }, fixed("wss://198.51.100.5:443", "stun:198.51.100.5:3478")},
		"LoadBalancer, separate": {balancer(v1.UDPSeparate), func(w *world) {
			w.balanced("demo-seed-0", "198.51.100.5")
			w.balanced("demo-seed-0-udp", "198.51.100.6")
		}, fixed("wss://198.51.100.5:443", "stun:198.51.100.6:3478")},
		"LoadBalancer, no UDP": {balancer(v1.UDPOff), func(w *world) { w.balanced("demo-seed-0", "198.51.100.5") }, fixed("wss://198.51.100.5:443", "turn:198.51.100.5:3478?transport=tcp")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, v1.PeerNetworkSpec{Exposure: c.exposure, Replicas: 1})
			pod := w.running(1)[0]
			w.settled()
			if c.cluster != nil {
				w.wantConditions("Published False AddressesPending: demo-seed-0: the load balancer has no address yet")
				c.cluster(w)
				w.settled()
			}
			w.wantConditions("Available True SeedsReachable", "Published True AllSeedsPublished")
			address, turn := c.want(w)
			seed := w.network.Status.Seeds[0]
			if w.network.Status.Address != address || seed.Addresses[0] != address || seed.TURNAddresses[0] != turn {
				t.Errorf("the addresses are %q and %q, want %s and %s first", seed.Addresses, seed.TURNAddresses, address, turn)
			}
			if d := w.document(); len(d.Seeds) != 1 || !slices.Equal(d.Seeds[0].Addresses, seed.Addresses) {
				t.Errorf("published is %+v", d)
			}
			w.gone(pod)
			w.settled()
			w.wantConditions("Available False NoSeedReady", "Published False NothingToPublish")
			if d := w.document(); len(d.Seeds) != 0 || w.network.Status.Address != "" {
				t.Errorf("published is %+v and %s after the seed has gone", d, w.network.Status.Address)
			}
		})
	}
}

// What is to become of a seed's Service when the exposure of its network changes.
const (
	serviceKept = "is the same" // and so is what the cluster gave it
	serviceNew  = "is made again"
	serviceNone = "is not there"
)

// A network that runs gets another exposure, and its seeds the addresses of that. Their
// Services stay while nothing has them be others, whatever else happens.
func TestAPIServerChangesExposure(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{Replicas: 1, Exposure: v1.Exposure{Type: v1.ExposeClusterIP}})
	w.running(1)
	w.settled()
	const domain = "seeds.example.org"
	service := func() *corev1.Service {
		live := &corev1.Service{}
		err := w.client.Get(t.Context(), client.ObjectKey{Namespace: w.network.Namespace, Name: "demo-seed-0"}, live)
		w.must(client.IgnoreNotFound(err))
		return live // without a UID if it is not there
	}
	nodePort := func() string {
		for _, port := range service().Spec.Ports {
			if port.Name == resources.PortTLS {
				return fmt.Sprintf("wss://203.0.113.100:%d", port.NodePort)
			}
		}
		return "a port"
	}
	fixed := func(address string) func() string { return func() string { return address } }
	balance := func() { w.balanced("demo-seed-0", "198.51.100.5") }
	for _, step := range []struct {
		exposure v1.Exposure
		service  string
		cluster  func()        // what controllers do then
		address  func() string // the first
	}{
		{v1.Exposure{Type: v1.ExposeNodePort}, serviceNew, nil, nodePort},
		{v1.Exposure{Type: v1.ExposeLoadBalancer}, serviceKept, balance, fixed("wss://198.51.100.5:443")},
		{v1.Exposure{Type: v1.ExposeLoadBalancer, LoadBalancer: &v1.LoadBalancer{Annotations: map[string]string{"example.com/a": "b"}}}, serviceKept, nil, fixed("wss://198.51.100.5:443")},
		{v1.Exposure{Type: v1.ExposeHostPort}, serviceNone, nil, fixed("wss://203.0.113.100:8443")},
		{v1.Exposure{Type: v1.ExposeClusterIP}, serviceNone, nil, fixed("wss://demo-seed-0.demo-seed." + w.network.Namespace + ".svc.cluster.local:8443")},
		{v1.Exposure{Type: v1.ExposeHostPort, Domain: domain}, serviceNew, nil, fixed("wss://0.seeds.example.org:8443")},
		{v1.Exposure{Type: v1.ExposeClusterIP, Domain: domain}, serviceNew, nil, fixed("wss://0.seeds.example.org:443")},
		{v1.Exposure{Type: v1.ExposeNodePort}, serviceKept, nil, nodePort},
		{v1.Exposure{Type: v1.ExposeLoadBalancer}, serviceKept, balance, fixed("wss://198.51.100.5:443")},
		{v1.Exposure{Type: v1.ExposeNodePort}, serviceKept, nil, nodePort},
		{v1.Exposure{Type: v1.ExposeHostPort, Domain: domain}, serviceNew, nil, fixed("wss://0.seeds.example.org:8443")},
		{v1.Exposure{Type: v1.ExposeLoadBalancer}, serviceNew, balance, fixed("wss://198.51.100.5:443")},
		{v1.Exposure{Type: v1.ExposeClusterIP, Domain: domain}, serviceKept, nil, fixed("wss://0.seeds.example.org:443")},
		{v1.Exposure{Type: v1.ExposeClusterIP}, serviceNone, nil, fixed("wss://demo-seed-0.demo-seed." + w.network.Namespace + ".svc.cluster.local:8443")},
	} {
		before := service()
		w.update(func(s *v1.PeerNetworkSpec) { s.Exposure = step.exposure })
		w.settled()
		if step.cluster != nil {
			w.wantConditions("Published False AddressesPending")
			step.cluster()
			w.settled()
		}
		now, became := service(), serviceNew
		switch {
		case now.UID == "":
			became = serviceNone
		case now.UID == before.UID:
			became = serviceKept
		}
		when := fmt.Sprintf("with %+v", step.exposure)
		if became != step.service {
			t.Errorf("%s the Service %s, and was to be one that %s", when, became, step.service)
		}
		w.wantConditions("Published True AllSeedsPublished")
		if d, want := w.document(), step.address(); len(d.Seeds) != 1 || d.Seeds[0].Addresses[0] != want {
			t.Errorf("%s published is %+v, want %s", when, d.Seeds, want)
		}

		// Neither a restart of the operator nor the passing of time, nor another change.
		w.reconciler.forget(client.ObjectKeyFromObject(w.network))
		w.later()
		w.update(func(s *v1.PeerNetworkSpec) { s.DrainSeconds = ptr.To(ptr.Deref(s.DrainSeconds, 60) + 1) })
		w.settled()
		if again := service(); again.UID != now.UID || again.ResourceVersion != now.ResourceVersion {
			t.Errorf("%s the Service is written, and nothing of it has changed: %+v", when, again)
		}
	}
}

// A Service whose load balancer gets another class, or none again, is made again: the
// API server lets no class be changed. One that the cluster has set stays.
func TestAPIServerChangesClass(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{Replicas: 1, Exposure: v1.Exposure{Type: v1.ExposeLoadBalancer, LoadBalancer: &v1.LoadBalancer{}}})
	w.settled()
	live := named[corev1.Service](w, "demo-seed-0")
	for _, class := range []string{"example.com/a", "example.com/b", "", "example.com/a"} {
		w.update(func(s *v1.PeerNetworkSpec) { s.Exposure.LoadBalancer.Class = class })
		w.told()
		w.settled()
		w.wantConditions("Progressing True Creating")
		now := named[corev1.Service](w, "demo-seed-0")
		if got := ptr.Deref(now.Spec.LoadBalancerClass, ""); got != class || now.UID == live.UID {
			t.Errorf("the class is %q, want %q; made again is %v", got, class, now.UID != live.UID)
		}
		if told := w.told(); !hasTold(told, "ServiceReplaced", "demo-seed-0") {
			t.Errorf("told is %q", told)
		}
		live = now
	}

	w = newWorld(t, v1.PeerNetworkSpec{Replicas: 1, Exposure: v1.Exposure{Type: v1.ExposeLoadBalancer}})
	theirs := w.network.DeepCopy()
	theirs.Spec.Exposure.LoadBalancer = &v1.LoadBalancer{Class: "example.com/default"}
	made := resources.SeedServices(theirs, 1)[0]
	w.must(w.client.Apply(t.Context(), made, client.FieldOwner("cloud"), client.ForceOwnership))
	live = named[corev1.Service](w, "demo-seed-0")
	w.settled()
	if now := named[corev1.Service](w, "demo-seed-0"); now.UID != live.UID || ptr.Deref(now.Spec.LoadBalancerClass, "") != "example.com/default" {
		t.Errorf("the Service is %+v", now)
	}
	w.wantConditions("Progressing True Creating")
}

// A Service that a finalizer keeps, as that of a load balancer does until the balancer
// has gone, is deleted once, and told of once.
func TestAPIServerDeletesServicesOnce(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{Replicas: 1, Exposure: v1.Exposure{Type: v1.ExposeLoadBalancer, LoadBalancer: &v1.LoadBalancer{UDP: v1.UDPSeparate}}})
	w.settled()
	names := []string{"demo-seed-0", "demo-seed-0-udp"}
	uids := map[string]types.UID{}
	for _, name := range names {
		service := named[corev1.Service](w, name)
		uids[name] = service.UID
		service.Finalizers = []string{"example.com/balancer"}
		w.must(w.client.Update(t.Context(), service))
	}
	w.told()
	w.update(func(s *v1.PeerNetworkSpec) { s.Exposure.LoadBalancer = &v1.LoadBalancer{Class: "example.com/a"} })
	w.settled() // the one is replaced, and the other is not needed any more
	w.settled()
	if told := strings.Join(w.told(), "\n"); strings.Count(told, "ServiceReplaced") != 1 {
		t.Errorf("told is %q", told)
	}
	for _, name := range names {
		service := named[corev1.Service](w, name)
		if service.DeletionTimestamp.IsZero() {
			t.Errorf("%s is not deleted", name)
		}
		service.Finalizers = nil
		w.must(w.client.Update(t.Context(), service))
	}
	w.settled()
	if now := named[corev1.Service](w, names[0]); now.UID == uids[names[0]] || ptr.Deref(now.Spec.LoadBalancerClass, "") != "example.com/a" {
		t.Errorf("the Service is %+v", now)
	}
	err := w.client.Get(t.Context(), client.ObjectKey{Namespace: w.network.Namespace, Name: names[1]}, &corev1.Service{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the Service for UDP is still there: %v", err)
	}
}
