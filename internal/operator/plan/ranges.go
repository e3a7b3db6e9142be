package plan

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// ClusterRanges are the networks of a cluster that seeds may not reach: those that
// the network's spec names, the ranges of Services, and the pod ranges and addresses of
// nodes. They are sorted, and none is within another, so that the same cluster gives the
// same list whatever the order that its nodes come in.
func ClusterRanges(n *v1.PeerNetwork, services []netip.Prefix, nodes []corev1.Node) []netip.Prefix {
	ranges := append(resources.Prefixes(n.Spec.NetworkPolicy.ClusterCIDRs), services...)
	for _, node := range nodes {
		for _, cidr := range append(slices.Clone(node.Spec.PodCIDRs), node.Spec.PodCIDR) {
			if prefix, err := netip.ParsePrefix(cidr); err == nil {
				ranges = append(ranges, prefix)
			}
		}
		for _, address := range node.Status.Addresses {
			if ip, err := netip.ParseAddr(address.Address); err == nil {
				ip = ip.Unmap().WithZone("")
				ranges = append(ranges, netip.PrefixFrom(ip, ip.BitLen()))
			}
		}
	}
	return outermost(ranges)
}

// DeniedPeers are the ranges that TURN has to be told to deny: those of the cluster
// that are public, since seeds deny the others themselves. Nodes are not among them: they
// come and go, and a change restarts the seeds; what they offer to the world is
// theirs to guard, and NetworkPolicy keeps seeds from them.
func DeniedPeers(n *v1.PeerNetwork, services []netip.Prefix) []netip.Prefix {
	var public []netip.Prefix
	for _, prefix := range outermost(append(resources.Prefixes(n.Spec.NetworkPolicy.ClusterCIDRs), services...)) {
		if !private(prefix) {
			public = append(public, prefix)
		}
	}
	return public
}

// special are networks that no seed relays to unless it is told so: private use,
// shared by carriers, local to a link, IPv6's unique local.
var special = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

func private(prefix netip.Prefix) bool {
	return slices.ContainsFunc(special, func(s netip.Prefix) bool { return covers(s, prefix) })
}

// covers tells whether all of one network is in another.
func covers(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// outermost are the networks without those that are within another, sorted.
func outermost(ranges []netip.Prefix) []netip.Prefix {
	for i := range ranges {
		ranges[i] = ranges[i].Masked()
	}
	slices.SortFunc(ranges, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	var outer []netip.Prefix
	for _, prefix := range ranges {
		// Sorted like this, a network follows those that it is in.
		if len(outer) == 0 || !covers(outer[len(outer)-1], prefix) {
			outer = append(outer, prefix)
		}
	}
	return outer
}
