package plan

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// maxAddresses is how many addresses a seed takes from the bootstrap document.
const maxAddresses = 16

// Observed is what the cluster says of one seed. What is not there is nil.
type Observed struct {
	Ordinal int32
	// Pod is the seed's, and Node the one that it runs on.
	Pod  *corev1.Pod
	Node *corev1.Node
	// Service is the seed's, and UDPService the one of a load balancer for UDP.
	Service, UDPService *corev1.Service
}

// Endpoints are where clients reach one seed.
type Endpoints struct {
	// Hosts are the names and IP addresses in them, which the certificate has to be
	// good for.
	Hosts []string
	// Addresses are URLs in the order of spec.transports, and of the hosts.
	Addresses []string
	// TURN are those of STUN and TURN, best first.
	TURN []string
	// Missing says what has to happen before there are any, and is empty if there
	// are.
	Missing string
}

// SeedEndpoints finds them out for one seed.
func SeedEndpoints(n *v1.PeerNetwork, s resources.Settings, seen Observed) Endpoints {
	hosts, missing := hostsOf(n, s, seen)
	if missing != "" {
		return Endpoints{Missing: missing}
	}
	e := Endpoints{Hosts: hosts}
	for _, scheme := range n.Spec.Transports {
		name := resources.PortPlain
		if scheme.Secure() {
			name = resources.PortTLS
		}
		port := portOf(n, seen.Service, name)
		if port == 0 {
			return Endpoints{Missing: "the Service " + resources.SeedName(n, seen.Ordinal) + " has no port for " + string(scheme) + " yet"}
		}
		for _, host := range hosts {
			e.Addresses = append(e.Addresses, string(scheme)+"://"+join(host, port))
		}
	}
	e.Addresses = e.Addresses[:min(len(e.Addresses), maxAddresses)]
	e.TURN = turnURLs(n, seen, hosts)
	return e
}

// hostsOf are the hosts of a seed, or what is missing to have any.
func hostsOf(n *v1.PeerNetwork, s resources.Settings, seen Observed) (hosts []string, missing string) {
	exposure := &n.Spec.Exposure
	switch exposure.Type {
	case v1.ExposeNodePort, v1.ExposeHostPort:
		if seen.Node == nil {
			return nil, "its pod is on no node yet"
		}
		if exposure.Domain == "" {
			families := familiesOf(n, seen)
			if hosts = NodeHosts(seen.Node, exposure.AddressTypes, families); len(hosts) == 0 {
				return nil, "its node " + seen.Node.Name + " has no " + kindOfAddress(families) + " of spec.exposure.addressTypes; kubectl get node " + seen.Node.Name + " -o yaml shows what it has"
			}
		}
	case v1.ExposeLoadBalancer:
		if hosts = ingressHosts(seen.Service); len(hosts) == 0 {
			return nil, "the load balancer has no address yet; kubectl describe service " + resources.SeedName(n, seen.Ordinal) + " shows what its controller says"
		}
	default:
		hosts = []string{resources.SeedHost(n, s, seen.Ordinal)}
	}
	if exposure.Domain != "" {
		hosts = []string{resources.DomainHost(n, seen.Ordinal)}
	}
	return hosts, ""
}

// nodeTypes is the order of preference unless a spec has another.
var nodeTypes = []v1.NodeAddressType{v1.NodeExternalDNS, v1.NodeExternalIP, v1.NodeInternalDNS, v1.NodeInternalIP}

// NodeHosts are the names of a node and its addresses of these IP families, of the first
// of the types that it has any of. Without families those of both count.
func NodeHosts(node *corev1.Node, types []v1.NodeAddressType, families []corev1.IPFamily) []string {
	if len(types) == 0 {
		types = nodeTypes
	}
	for _, kind := range types {
		var hosts []string
		for _, address := range node.Status.Addresses {
			if string(address.Type) == string(kind) && address.Address != "" && isOf(families, address.Address) && !slices.Contains(hosts, address.Address) {
				hosts = append(hosts, address.Address)
			}
		}
		if len(hosts) > 0 {
			return hosts
		}
	}
	return nil
}

// ingressHosts are the names and addresses of a Service's load balancer.
func ingressHosts(service *corev1.Service) []string {
	if service == nil {
		return nil
	}
	var hosts []string
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		for _, host := range []string{ingress.Hostname, ingress.IP} {
			if host != "" && !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
				break // a name is for the address beside it
			}
		}
	}
	return hosts
}

// portOf is the port at which clients reach one of the seed's, by its name; 0 if the
// cluster has not chosen it yet.
func portOf(n *v1.PeerNetwork, service *corev1.Service, name string) int32 {
	if n.Spec.Exposure.Type != v1.ExposeNodePort {
		return resources.ClientPort(n, name)
	}
	if service == nil {
		return 0
	}
	for _, port := range service.Spec.Ports {
		if port.Name == name {
			return port.NodePort
		}
	}
	return 0
}

// turnURLs are as RTCIceServer takes them (RFC 7064, RFC 7065): by UDP where it is
// published, by TCP, and through the port with TLS.
func turnURLs(n *v1.PeerNetwork, seen Observed, hosts []string) []string {
	if !resources.HasTURN(n) {
		return nil
	}
	var urls []string
	add := func(scheme string, hosts []string, port int32, query string) {
		if port == 0 {
			return
		}
		for _, host := range hosts {
			urls = append(urls, scheme+":"+join(host, port)+query)
		}
	}
	if resources.HasUDP(n) {
		udpHosts := hosts
		if exposure := &n.Spec.Exposure; exposure.LoadBalancer != nil && exposure.LoadBalancer.UDP == v1.UDPSeparate {
			udpHosts = ingressHosts(seen.UDPService)
		}
		port := portOf(n, seen.Service, resources.PortTURNUDP)
		add("stun", udpHosts, port, "")
		add("turn", udpHosts, port, "?transport=udp")
	}
	add("turn", hosts, portOf(n, seen.Service, resources.PortTURN), "?transport=tcp")
	add("turns", hosts, portOf(n, seen.Service, resources.PortTLS), "?transport=tcp")
	return urls
}

// join is a host and a port as URLs have them.
func join(host string, port int32) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.WithZone("").Unmap().String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
