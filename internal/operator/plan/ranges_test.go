package plan

import (
	"fmt"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

var serviceRanges = []netip.Prefix{netip.MustParsePrefix("10.96.0.0/12"), netip.MustParsePrefix("fd00:10:96::/112")}

func TestClusterRanges(t *testing.T) {
	n := network(v1.Exposure{})
	n.Spec.NetworkPolicy.ClusterCIDRs = []v1.CIDR{"192.0.2.9/24", "10.0.0.0/16"}
	other := node.DeepCopy()
	other.Spec.PodCIDR, other.Spec.PodCIDRs = "10.244.2.0/24", nil
	other.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.1.0.9"}, {Type: corev1.NodeHostName, Address: "node-b"}}
	// 10.0.0.7 is in 10.0.0.0/16, and is not there a second time.
	const want = "[10.0.0.0/16 10.1.0.9/32 10.96.0.0/12 10.244.1.0/24 10.244.2.0/24 192.0.2.0/24 203.0.113.7/32 2001:db8::7/128 2001:db8:244:1::/64 fd00::7/128 fd00:10:96::/112]"
	for _, nodes := range [][]corev1.Node{{*node, *other}, {*other, *node}, {*node, *other, *node}} {
		if got := fmt.Sprint(ClusterRanges(n, serviceRanges, nodes)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestDeniedPeers(t *testing.T) {
	n := network(v1.Exposure{})
	if got := DeniedPeers(n, serviceRanges); len(got) > 0 {
		t.Errorf("%v are denied, and seeds deny them anyway", got)
	}
	n.Spec.NetworkPolicy.ClusterCIDRs = []v1.CIDR{"203.0.113.0/24", "10.0.0.0/8", "10.0.0.0/7", "2001:db8::/32", "fd00::/8"}
	if got, want := fmt.Sprint(DeniedPeers(n, serviceRanges)), "[10.0.0.0/7 203.0.113.0/24 2001:db8::/32]"; got != want {
		t.Errorf("%s are denied, want %s", got, want)
	}
}
