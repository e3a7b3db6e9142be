package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

func TestCertificateHosts(t *testing.T) {
	endpoints := []Endpoints{{Hosts: []string{"203.0.113.7", "2001:db8::7"}}, {Missing: "a node"}, {Hosts: []string{"203.0.113.7"}}}
	for name, c := range map[string]struct {
		exposure  v1.Exposure
		endpoints []Endpoints
		most      int32 // of the autoscaler
		want      string
	}{
		"before there are addresses": {v1.Exposure{Type: v1.ExposeNodePort}, nil, 0, "demo-seed-0.demo-seed.games.svc.cluster.local demo-seed-1.demo-seed.games.svc.cluster.local"},
		"with addresses":             {v1.Exposure{Type: v1.ExposeNodePort}, endpoints, 0, "demo-seed-0.demo-seed.games.svc.cluster.local demo-seed-1.demo-seed.games.svc.cluster.local 203.0.113.7 2001:db8::7"},
		"with a domain":              {v1.Exposure{Type: v1.ExposeNodePort, Domain: "s.example"}, []Endpoints{{Hosts: []string{"0.s.example"}}}, 0, "0.s.example 1.s.example"},
		"with room for more":         {v1.Exposure{Type: v1.ExposeNodePort, Domain: "s.example"}, nil, 4, "0.s.example 1.s.example 2.s.example 3.s.example"},
		"more than there may be":     {v1.Exposure{Type: v1.ExposeNodePort, Domain: "s.example"}, nil, 1, "0.s.example 1.s.example"},
	} {
		n := network(c.exposure)
		if c.most > 0 {
			n.Spec.Autoscaling = &v1.Autoscaling{MaxReplicas: c.most}
		}
		if got := CertificateHosts(n, settings, 2, c.endpoints); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %q, want %q", name, got, strings.Fields(c.want))
		}
	}
}

func TestNodesHosts(t *testing.T) {
	for name, c := range map[string]struct {
		exposure v1.Exposure
		nodes    []corev1.Node
		want     int
	}{
		"on node ports":      {v1.Exposure{Type: v1.ExposeNodePort}, []corev1.Node{*node}, 2},
		"on host ports":      {v1.Exposure{Type: v1.ExposeHostPort}, []corev1.Node{*node, *node}, 4},
		"with names":         {v1.Exposure{Type: v1.ExposeNodePort, Domain: "s.example"}, []corev1.Node{*node}, 0},
		"inside the cluster": {v1.Exposure{Type: v1.ExposeClusterIP}, []corev1.Node{*node}, 0},
		"on very many nodes": {v1.Exposure{Type: v1.ExposeNodePort}, slices.Repeat([]corev1.Node{*node}, 1000), 2 * maxNodes},
	} {
		if got := NodesHosts(network(c.exposure), c.nodes); len(got) != c.want {
			t.Errorf("%s: %d hosts, want %d", name, len(got), c.want)
		}
	}
}

// Of more nodes than a certificate is made for, it is made for the oldest, and for the same
// ones in whatever order they are listed. An autoscaler makes many in one second.
func TestNodesHostsAreTheSame(t *testing.T) {
	var nodes []corev1.Node
	for i := range 3 * maxNodes {
		made := metav1.Unix(int64(i/(2*maxNodes)), 0) // the youngest third is a second younger
		nodes = append(nodes, corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%03d", i), CreationTimestamp: made},
			Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeExternalIP, Address: fmt.Sprintf("203.0.%d.%d", i/100, i%100)}}},
		})
	}
	n := network(v1.Exposure{Type: v1.ExposeHostPort})
	want := NodesHosts(n, nodes)
	if len(want) != maxNodes || want[0] != "203.0.0.0" || want[maxNodes-1] != "203.0.0.99" {
		t.Errorf("%d hosts of the oldest nodes are %q", len(want), want)
	}
	for seed := range uint64(20) {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		if got := NodesHosts(n, nodes); !slices.Equal(got, want) {
			t.Fatalf("in another order (seed %d) they are %q, want %q", seed, got, want)
		}
	}
}

func TestServicesHosts(t *testing.T) {
	balanced := &corev1.Service{Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "198.51.100.5"}}}}}
	services := map[string]*corev1.Service{"demo-seed": balanced, "demo-seed-0": balanced, "demo-seed-0-udp": balanced, "demo-seed-1": {}}
	for kind, want := range map[v1.ExposureType]string{
		v1.ExposeLoadBalancer: "198.51.100.5",
		v1.ExposeHostPort:     "", // it is the node's
	} {
		if got := ServicesHosts(network(v1.Exposure{Type: kind}), settings, services); strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
}

func TestIssuedHosts(t *testing.T) {
	for name, c := range map[string]struct{ needed, before, again, want string }{
		"the first":              {"b a", "", "c", "a b"},
		"one more":               {"a b", "a", "a b c", "a b"},
		"one that comes back":    {"b", "a", "a b c", "a b"},
		"one that does not":      {"b", "a", "b c", "b"},
		"all that there are":     {"a b", "a b", "a b", "a b"},
		"in another order":       {"c b a", "b", "b", "a b c"},
		"of another name":        {"0.new 1.new", "0.old 1.old", "", "0.new 1.new"},
		"none that anybody asks": {"", "", "a", ""},
	} {
		needed, before := strings.Fields(c.needed), strings.Fields(c.before)
		got := IssuedHosts(needed, before, strings.Fields(c.again))
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if !HaveAll(got, needed) {
			t.Errorf("%s: %q is not for all of %q", name, got, needed)
		}
	}
	if HaveAll([]string{"a"}, []string{"a", "b"}) {
		t.Error("b is taken to be a")
	}
}
