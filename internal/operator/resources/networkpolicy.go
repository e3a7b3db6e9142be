package resources

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// The cluster's DNS, by the ports that its pods listen at: a policy sees connections
// to a Service when the Service has been resolved to pods. OpenShift has its own.
const (
	dnsNamespace, dnsPort                   = "kube-system", 53
	openShiftDNSNamespace, openShiftDNSPort = "openshift-dns", 5353
)

// nodeLocalDNS is where the node-local DNS cache of Kubernetes listens.
var nodeLocalDNS = []string{"169.254.20.10/32", "fd00::20:10/128"}

// everywhere is all of one IP family.
var everywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// HasNetworkPolicy tells whether there is one.
func HasNetworkPolicy(n *v1.PeerNetwork) bool {
	return n.Spec.NetworkPolicy.Enabled == nil || *n.Spec.NetworkPolicy.Enabled
}

// NetworkPolicy lets everybody in to what is public, and the seeds out to the
// internet, each other and DNS. cluster are the networks of pods, Services and nodes.
func NetworkPolicy(n *v1.PeerNetwork, s Settings, cluster []netip.Prefix) *networkingv1ac.NetworkPolicyApplyConfiguration {
	return networkingv1ac.NetworkPolicy(SeedsName(n), n.Namespace).
		WithLabels(Labels(n)).
		WithOwnerReferences(owner(n)).
		WithSpec(networkingv1ac.NetworkPolicySpec().
			WithPodSelector(seeds(n)).
			WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
			WithIngress(ingress(n, s)...).
			WithEgress(egress(n, cluster)...))
}

func ingress(n *v1.PeerNetwork, s Settings) []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration {
	public := networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPort(corev1.ProtocolTCP, podPortTLS))
	if HasPlain(n) {
		public.WithPorts(policyPort(corev1.ProtocolTCP, podPortPlain))
	}
	if HasTURN(n) {
		public.WithPorts(policyPort(corev1.ProtocolTCP, podPortTURN), policyPort(corev1.ProtocolUDP, podPortTURN))
		// What is relayed comes from peers, and from relays of other seeds, on any of
		// these ports.
		relayed := v1.PortRange{Min: 49152, Max: 65535} // the seed's default
		if asked := n.Spec.TURN.RelayPorts; asked != nil {
			relayed = *asked
		}
		public.WithPorts(policyPort(corev1.ProtocolUDP, relayed.Min).WithEndPort(relayed.Max))
	}
	private := networkingv1ac.NetworkPolicyIngressRule().
		WithPorts(policyPort(corev1.ProtocolTCP, AdminPort)).
		WithFrom(networkingv1ac.NetworkPolicyPeer().
			WithNamespaceSelector(namespace(s.Namespace)).
			WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(s.PodLabels)))
	for _, name := range n.Spec.NetworkPolicy.MonitoringNamespaces {
		private.WithFrom(networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(namespace(name)))
	}
	return []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration{public, private}
}

func egress(n *v1.PeerNetwork, cluster []netip.Prefix) []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	internet := networkingv1ac.NetworkPolicyEgressRule()
	for _, all := range everywhere {
		block := networkingv1ac.IPBlock().WithCIDR(all.String())
		for _, denied := range cluster {
			if all.Contains(denied.Addr()) && all != denied {
				block.WithExcept(denied.String())
			}
		}
		if !slices.Contains(cluster, all) {
			internet.WithTo(networkingv1ac.NetworkPolicyPeer().WithIPBlock(block))
		}
	}
	dns := dnsIn(dnsNamespace, dnsPort)
	for _, address := range nodeLocalDNS {
		dns.WithTo(networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().WithCIDR(address)))
	}
	rules := []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration{
		internet,
		dns,
		dnsIn(openShiftDNSNamespace, openShiftDNSPort),
		networkingv1ac.NetworkPolicyEgressRule().WithTo(networkingv1ac.NetworkPolicyPeer().WithPodSelector(seeds(n))),
	}
	if allowed := n.Spec.TURN.AllowedPeers; HasTURN(n) && len(allowed) > 0 {
		rule := networkingv1ac.NetworkPolicyEgressRule()
		for _, prefix := range Prefixes(allowed) {
			rule.WithTo(networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().WithCIDR(prefix.String())))
		}
		rules = append(rules, rule)
	}
	return rules
}

// dnsIn leads to DNS servers that are pods of a namespace.
func dnsIn(name string, port int32) *networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	return networkingv1ac.NetworkPolicyEgressRule().
		WithPorts(policyPort(corev1.ProtocolUDP, port), policyPort(corev1.ProtocolTCP, port)).
		WithTo(networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(namespace(name)))
}

// Prefixes are the networks that a spec names, without those that are none, which
// the schema does not let through.
func Prefixes(cidrs []v1.CIDR) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, cidr := range cidrs {
		if prefix, err := netip.ParsePrefix(string(cidr)); err == nil {
			prefixes = append(prefixes, prefix.Masked())
		}
	}
	return prefixes
}

func seeds(n *v1.PeerNetwork) *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchLabels(Selector(n))
}

// namespace selects one by its name.
func namespace(name string) *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchLabels(map[string]string{corev1.LabelMetadataName: name})
}

func policyPort(protocol corev1.Protocol, port int32) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(port))
}
