package plan

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// familiesOf are the IP families of which a node's addresses lead to the seed: a node
// may have more than its Services or pods. None is not known, as before there are any.
func familiesOf(n *v1.PeerNetwork, seen Observed) []corev1.IPFamily {
	switch {
	case n.Spec.Exposure.Type == v1.ExposeNodePort && seen.Service != nil:
		return seen.Service.Spec.IPFamilies
	case n.Spec.Exposure.Type == v1.ExposeHostPort && seen.Pod != nil:
		// What passes a port of the node on to the pod does not change the family.
		var families []corev1.IPFamily
		for _, ip := range seen.Pod.Status.PodIPs {
			if address, err := netip.ParseAddr(ip.IP); err == nil {
				families = append(families, familyOf(address))
			}
		}
		return families
	}
	return nil
}

func familyOf(address netip.Addr) corev1.IPFamily {
	if address.Unmap().Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}

// isOf tells whether a host is a name, which may lead to any address, or an address of
// one of the families.
func isOf(families []corev1.IPFamily, host string) bool {
	address, err := netip.ParseAddr(host)
	return err != nil || len(families) == 0 || slices.Contains(families, familyOf(address))
}

// kindOfAddress is what a node has to have an address of, in a message.
func kindOfAddress(families []corev1.IPFamily) string {
	if len(families) == 1 {
		return string(families[0]) + " address"
	}
	return "address"
}
