package plan

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

var settings = resources.Settings{ClusterDomain: "cluster.local"}

// node is one in a cloud: with names and addresses of both families.
var node = &corev1.Node{
	ObjectMeta: metav1.ObjectMeta{Name: "node-a"},
	Spec:       corev1.NodeSpec{PodCIDR: "10.244.1.0/24", PodCIDRs: []string{"10.244.1.0/24", "2001:db8:244:1::/64"}},
	Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{
		{Type: corev1.NodeHostName, Address: "node-a"},
		{Type: corev1.NodeInternalIP, Address: "10.0.0.7"},
		{Type: corev1.NodeInternalIP, Address: "fd00::7"},
		{Type: corev1.NodeExternalIP, Address: "203.0.113.7"},
		{Type: corev1.NodeExternalIP, Address: "2001:db8::7"},
	}},
}

var nodePorts = &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
	{Name: "tls", NodePort: 30443}, {Name: "plain", NodePort: 30080}, {Name: "turn", NodePort: 30478}, {Name: "turn-udp", NodePort: 31478},
}}}

// single is the Service with node ports of one IP family, and ofFamilies a pod with such
// addresses.
func single(family corev1.IPFamily) *corev1.Service {
	service := nodePorts.DeepCopy()
	service.Spec.IPFamilies = []corev1.IPFamily{family}
	return service
}

func ofFamilies(addresses ...string) *corev1.Pod {
	var pod corev1.Pod
	for _, address := range addresses {
		pod.Status.PodIPs = append(pod.Status.PodIPs, corev1.PodIP{IP: address})
	}
	return &pod
}

func balanced(ingress ...corev1.LoadBalancerIngress) *corev1.Service {
	return &corev1.Service{Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: ingress}}}
}

func TestSeedEndpoints(t *testing.T) {
	none := false
	half := node.DeepCopy() // of its addresses outside, the one of IPv6 only
	half.Status.Addresses = slices.DeleteFunc(half.Status.Addresses, func(a corev1.NodeAddress) bool { return a.Address == "203.0.113.7" })
	host := corev1.LoadBalancerIngress{Hostname: "lb.example.net", IP: "198.51.100.1"}
	ips := []corev1.LoadBalancerIngress{{IP: "198.51.100.1"}, {IP: "2001:db8::1"}}
	named := node.DeepCopy()
	named.Status.Addresses = append(named.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeExternalDNS, Address: "a.example.org"})
	for name, c := range map[string]struct {
		exposure   v1.Exposure
		transports string
		turn       *bool
		seen       Observed
		addresses  string // separated by spaces
		turns      string
		missing    string
	}{
		"inside the cluster": {
			v1.Exposure{Type: v1.ExposeClusterIP}, "wss tls", nil, Observed{},
			"wss://demo-seed-1.demo-seed.games.svc.cluster.local:8443 tls://demo-seed-1.demo-seed.games.svc.cluster.local:8443",
			"stun:demo-seed-1.demo-seed.games.svc.cluster.local:3478 turn:demo-seed-1.demo-seed.games.svc.cluster.local:3478?transport=udp turn:demo-seed-1.demo-seed.games.svc.cluster.local:3478?transport=tcp turns:demo-seed-1.demo-seed.games.svc.cluster.local:8443?transport=tcp",
			"",
		},
		"behind a proxy": {
			v1.Exposure{Type: v1.ExposeClusterIP, Domain: "seeds.example.org"}, "wss ws", &none, Observed{},
			"wss://1.seeds.example.org:443 ws://1.seeds.example.org:80", "", "",
		},
		"on node ports, of both families": {
			v1.Exposure{Type: v1.ExposeNodePort}, "tls wss", nil, Observed{Node: node, Service: nodePorts},
			"tls://203.0.113.7:30443 tls://[2001:db8::7]:30443 wss://203.0.113.7:30443 wss://[2001:db8::7]:30443",
			"stun:203.0.113.7:31478 stun:[2001:db8::7]:31478 turn:203.0.113.7:31478?transport=udp turn:[2001:db8::7]:31478?transport=udp turn:203.0.113.7:30478?transport=tcp turn:[2001:db8::7]:30478?transport=tcp turns:203.0.113.7:30443?transport=tcp turns:[2001:db8::7]:30443?transport=tcp",
			"",
		},
		"on node ports, of a Service of IPv4": {
			v1.Exposure{Type: v1.ExposeNodePort}, "wss", nil, Observed{Node: node, Service: single(corev1.IPv4Protocol), Pod: ofFamilies("10.244.1.3", "2001:db8:244:1::3")},
			"wss://203.0.113.7:30443",
			"stun:203.0.113.7:31478 turn:203.0.113.7:31478?transport=udp turn:203.0.113.7:30478?transport=tcp turns:203.0.113.7:30443?transport=tcp",
			"",
		},
		"on node ports, of a Service of IPv6": {
			v1.Exposure{Type: v1.ExposeNodePort}, "wss", &none, Observed{Node: node, Service: single(corev1.IPv6Protocol)},
			"wss://[2001:db8::7]:30443", "", "",
		},
		"on node ports, with IPv4 in the next type only": {
			v1.Exposure{Type: v1.ExposeNodePort}, "wss", &none, Observed{Node: half, Service: single(corev1.IPv4Protocol)},
			"wss://10.0.0.7:30443", "", "",
		},
		"on node ports, with no address of the Service's family": {
			v1.Exposure{Type: v1.ExposeNodePort, AddressTypes: []v1.NodeAddressType{v1.NodeExternalIP}}, "wss", &none, Observed{Node: half, Service: single(corev1.IPv4Protocol)},
			"", "", "its node node-a has no IPv4 address of spec.exposure.addressTypes",
		},
		"on node ports, with a name of the node": {
			v1.Exposure{Type: v1.ExposeNodePort, AddressTypes: []v1.NodeAddressType{v1.NodeExternalDNS}}, "wss", &none, Observed{Node: named, Service: single(corev1.IPv6Protocol)},
			"wss://a.example.org:30443", "", "",
		},
		"on host ports, of a pod of IPv4": {
			v1.Exposure{Type: v1.ExposeHostPort}, "wss", &none, Observed{Node: node, Pod: ofFamilies("10.244.1.3")},
			"wss://203.0.113.7:8443", "", "",
		},
		"on host ports, of a pod of IPv6": {
			v1.Exposure{Type: v1.ExposeHostPort}, "wss", &none, Observed{Node: node, Pod: ofFamilies("2001:db8:244:1::3")},
			"wss://[2001:db8::7]:8443", "", "",
		},
		"on host ports, of a pod of both": {
			v1.Exposure{Type: v1.ExposeHostPort}, "wss", &none, Observed{Node: node, Pod: ofFamilies("10.244.1.3", "2001:db8:244:1::3")},
			"wss://203.0.113.7:8443 wss://[2001:db8::7]:8443", "", "",
		},
		"on host ports, of a pod without addresses yet": {
			v1.Exposure{Type: v1.ExposeHostPort}, "wss", &none, Observed{Node: node, Pod: ofFamilies()},
			"wss://203.0.113.7:8443 wss://[2001:db8::7]:8443", "", "",
		},
		"on node ports, by another preference": {
			v1.Exposure{Type: v1.ExposeNodePort, AddressTypes: []v1.NodeAddressType{v1.NodeInternalDNS, v1.NodeInternalIP}}, "ws", &none, Observed{Node: node, Service: nodePorts},
			"ws://10.0.0.7:30080 ws://[fd00::7]:30080", "", "",
		},
		"on node ports, with names": {
			v1.Exposure{Type: v1.ExposeNodePort, Domain: "seeds.example.org"}, "wss", &none, Observed{Node: node, Service: nodePorts},
			"wss://1.seeds.example.org:30443", "", "",
		},
		"on no node": {
			v1.Exposure{Type: v1.ExposeNodePort, Domain: "seeds.example.org"}, "wss", nil, Observed{Service: nodePorts},
			"", "", "its pod is on no node yet",
		},
		"on a node without such an address": {
			v1.Exposure{Type: v1.ExposeHostPort, AddressTypes: []v1.NodeAddressType{v1.NodeExternalDNS}}, "wss", nil, Observed{Node: node},
			"", "", "its node node-a has no address of spec.exposure.addressTypes",
		},
		"without a Service yet": {
			v1.Exposure{Type: v1.ExposeNodePort}, "wss", nil, Observed{Node: node},
			"", "", "the Service demo-seed-1 has no port for wss yet",
		},
		"on host ports": {
			v1.Exposure{Type: v1.ExposeHostPort, Port: 443}, "wss tcp", nil, Observed{Node: node},
			"wss://203.0.113.7:443 wss://[2001:db8::7]:443 tcp://203.0.113.7:8080 tcp://[2001:db8::7]:8080",
			"stun:203.0.113.7:3478 stun:[2001:db8::7]:3478 turn:203.0.113.7:3478?transport=udp turn:[2001:db8::7]:3478?transport=udp turn:203.0.113.7:3478?transport=tcp turn:[2001:db8::7]:3478?transport=tcp turns:203.0.113.7:443?transport=tcp turns:[2001:db8::7]:443?transport=tcp",
			"",
		},
		"behind a load balancer with a name": {
			v1.Exposure{Type: v1.ExposeLoadBalancer}, "wss", &none, Observed{Service: balanced(host)},
			"wss://lb.example.net:443", "", "",
		},
		"behind a load balancer of both families": {
			v1.Exposure{Type: v1.ExposeLoadBalancer, Port: 8443}, "wss", &none, Observed{Service: balanced(ips...)},
			"wss://198.51.100.1:8443 wss://[2001:db8::1]:8443", "", "",
		},
		"with UDP in a load balancer of its own": {
			v1.Exposure{Type: v1.ExposeLoadBalancer, Domain: "seeds.example.org", LoadBalancer: &v1.LoadBalancer{UDP: v1.UDPSeparate}}, "wss", nil,
			Observed{Service: balanced(host), UDPService: balanced(ips[0])},
			"wss://1.seeds.example.org:443",
			"stun:198.51.100.1:3478 turn:198.51.100.1:3478?transport=udp turn:1.seeds.example.org:3478?transport=tcp turns:1.seeds.example.org:443?transport=tcp",
			"",
		},
		"before that one has an address": {
			v1.Exposure{Type: v1.ExposeLoadBalancer, LoadBalancer: &v1.LoadBalancer{UDP: v1.UDPSeparate}}, "wss", nil,
			Observed{Service: balanced(ips[0])},
			"wss://198.51.100.1:443",
			"turn:198.51.100.1:3478?transport=tcp turns:198.51.100.1:443?transport=tcp",
			"",
		},
		"without UDP": {
			v1.Exposure{Type: v1.ExposeLoadBalancer, LoadBalancer: &v1.LoadBalancer{UDP: v1.UDPOff}}, "wss", nil,
			Observed{Service: balanced(ips[0])},
			"wss://198.51.100.1:443",
			"turn:198.51.100.1:3478?transport=tcp turns:198.51.100.1:443?transport=tcp",
			"",
		},
		"behind a load balancer that is not there yet": {
			v1.Exposure{Type: v1.ExposeLoadBalancer, Domain: "seeds.example.org"}, "wss", nil, Observed{Service: balanced()},
			"", "", "the load balancer has no address yet; kubectl describe service demo-seed-1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := network(c.exposure)
			n.Spec.TURN.Enabled = c.turn
			n.Spec.Transports = nil
			for _, scheme := range strings.Fields(c.transports) {
				n.Spec.Transports = append(n.Spec.Transports, v1.TransportScheme(scheme))
			}
			c.seen.Ordinal = 1
			got := SeedEndpoints(n, settings, c.seen)
			if !slices.Equal(got.Addresses, strings.Fields(c.addresses)) {
				t.Errorf("addresses are %q, want %q", got.Addresses, strings.Fields(c.addresses))
			}
			if !slices.Equal(got.TURN, strings.Fields(c.turns)) {
				t.Errorf("TURN is at %q, want %q", got.TURN, strings.Fields(c.turns))
			}
			if !strings.HasPrefix(got.Missing, c.missing) || (got.Missing == "") != (c.missing == "") {
				t.Errorf("missing is %q, want %q", got.Missing, c.missing)
			}
		})
	}
}

// A node with very many addresses does not make a document that seeds refuse.
func TestAddressesAreBounded(t *testing.T) {
	many := node.DeepCopy()
	for i := range 20 {
		many.Status.Addresses = append(many.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeExternalDNS, Address: strings.Repeat("x", i+1) + ".example.org"})
	}
	n := network(v1.Exposure{Type: v1.ExposeHostPort})
	if got := len(SeedEndpoints(n, settings, Observed{Node: many}).Addresses); got != maxAddresses {
		t.Errorf("there are %d addresses, want %d", got, maxAddresses)
	}
}

func network(exposure v1.Exposure) *v1.PeerNetwork {
	return &v1.PeerNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "demo", Namespace: "games"},
		Spec:       v1.PeerNetworkSpec{NetworkID: "demo", Exposure: exposure, Transports: []v1.TransportScheme{v1.SchemeWSS, v1.SchemeTLS}},
	}
}
