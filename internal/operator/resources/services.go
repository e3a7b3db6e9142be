package resources

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Annotations that external-dns makes records by.
const (
	externalDNSHost      = "external-dns.alpha.kubernetes.io/hostname"
	externalDNSEndpoints = "external-dns.alpha.kubernetes.io/endpoints-type"
)

// HeadlessService gives each seed a DNS name in the cluster, and all of them one by
// which they find each other.
func HeadlessService(n *v1.PeerNetwork) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(SeedsName(n), n.Namespace).
		WithLabels(Labels(n)).
		WithOwnerReferences(owner(n)).
		WithSpec(corev1ac.ServiceSpec().
			WithClusterIP(corev1.ClusterIPNone).
			WithIPFamilyPolicy(corev1.IPFamilyPolicyPreferDualStack).
			WithSelector(Selector(n)).
			WithPorts(servicePort(n, PortTLS, corev1.ProtocolTCP, podPortTLS)))
}

// SeedServices are the Services of so many seeds, in the order of the ordinals.
// Without exposure that needs them there are none.
func SeedServices(n *v1.PeerNetwork, replicas int32) []*corev1ac.ServiceApplyConfiguration {
	var services []*corev1ac.ServiceApplyConfiguration
	if !HasServices(n) {
		return nil
	}
	for ordinal := range replicas {
		services = append(services, seedService(n, ordinal))
		if separateUDP(n) {
			services = append(services, udpService(n, ordinal))
		}
	}
	return services
}

// separateUDP tells whether UDP has load balancers of its own.
func separateUDP(n *v1.PeerNetwork) bool {
	return HasTURN(n) && n.Spec.Exposure.Type == v1.ExposeLoadBalancer && loadBalancer(n).UDP == v1.UDPSeparate
}

// HasUDP tells whether clients reach the seeds' UDP port.
func HasUDP(n *v1.PeerNetwork) bool {
	exposure := &n.Spec.Exposure
	switch {
	case !HasTURN(n):
		return false
	case exposure.Type == v1.ExposeLoadBalancer:
		return loadBalancer(n).UDP != v1.UDPOff
	}
	return true
}

// loadBalancer is what the spec says about it; a zero UDP is UDPShared.
func loadBalancer(n *v1.PeerNetwork) v1.LoadBalancer {
	if asked := n.Spec.Exposure.LoadBalancer; asked != nil {
		return *asked
	}
	return v1.LoadBalancer{}
}

func seedService(n *v1.PeerNetwork, ordinal int32) *corev1ac.ServiceApplyConfiguration {
	spec := seedServiceSpec(n, ordinal).WithPorts(servicePort(n, PortTLS, corev1.ProtocolTCP, ClientPort(n, PortTLS)))
	if HasPlain(n) {
		spec.WithPorts(servicePort(n, PortPlain, corev1.ProtocolTCP, ClientPort(n, PortPlain)))
	}
	if HasTURN(n) {
		spec.WithPorts(servicePort(n, PortTURN, corev1.ProtocolTCP, podPortTURN))
	}
	if HasUDP(n) && !separateUDP(n) {
		spec.WithPorts(servicePort(n, PortTURNUDP, corev1.ProtocolUDP, podPortTURN))
	}
	return corev1ac.Service(SeedName(n, ordinal), n.Namespace).
		WithLabels(Labels(n)).
		WithAnnotations(serviceAnnotations(n, ordinal)).
		WithOwnerReferences(owner(n)).
		WithSpec(spec)
}

// udpService has no name of external-dns: the seed's name is the other load
// balancer's.
func udpService(n *v1.PeerNetwork, ordinal int32) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(SeedUDPName(n, ordinal), n.Namespace).
		WithLabels(Labels(n)).
		WithAnnotations(loadBalancer(n).Annotations).
		WithOwnerReferences(owner(n)).
		WithSpec(seedServiceSpec(n, ordinal).WithPorts(servicePort(n, PortTURNUDP, corev1.ProtocolUDP, podPortTURN)))
}

// seedServiceSpec is for one seed, without ports.
func seedServiceSpec(n *v1.PeerNetwork, ordinal int32) *corev1ac.ServiceSpecApplyConfiguration {
	selector := Selector(n)
	selector[podNameLabel] = SeedName(n, ordinal)
	spec := corev1ac.ServiceSpec().
		WithSelector(selector).
		WithIPFamilyPolicy(corev1.IPFamilyPolicyPreferDualStack)
	switch n.Spec.Exposure.Type {
	case v1.ExposeNodePort:
		// Only the seed's node answers, and the seed sees who connects.
		return spec.WithType(corev1.ServiceTypeNodePort).WithExternalTrafficPolicy(corev1.ServiceExternalTrafficPolicyLocal)
	case v1.ExposeLoadBalancer:
		spec.WithType(corev1.ServiceTypeLoadBalancer).WithExternalTrafficPolicy(corev1.ServiceExternalTrafficPolicyLocal)
		if class := loadBalancer(n).Class; class != "" {
			spec.WithLoadBalancerClass(class)
		}
		return spec
	case v1.ExposeHostPort:
		return spec.WithType(corev1.ServiceTypeClusterIP).WithClusterIP(corev1.ClusterIPNone)
	}
	return spec.WithType(corev1.ServiceTypeClusterIP)
}

func servicePort(n *v1.PeerNetwork, name string, protocol corev1.Protocol, port int32) *corev1ac.ServicePortApplyConfiguration {
	return corev1ac.ServicePort().WithName(name).WithProtocol(protocol).WithPort(port).WithTargetPort(intstr.FromString(name))
}

func serviceAnnotations(n *v1.PeerNetwork, ordinal int32) map[string]string {
	exposure := &n.Spec.Exposure
	annotations := maps.Clone(loadBalancer(n).Annotations)
	if exposure.Domain == "" {
		return annotations
	}
	if annotations == nil {
		annotations = make(map[string]string)
	}
	annotations[externalDNSHost] = DomainHost(n, ordinal)
	if exposure.Type == v1.ExposeHostPort {
		// A headless Service is of pods, and the ports are the nodes'.
		annotations[externalDNSEndpoints] = "NodeExternalIP"
		if types := exposure.AddressTypes; len(types) > 0 && !slices.Contains(types, v1.NodeExternalIP) && !slices.Contains(types, v1.NodeExternalDNS) {
			annotations[externalDNSEndpoints] = "HostIP"
		}
	}
	return annotations
}
