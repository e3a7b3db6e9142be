package plan

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// CertificateHosts are what a certificate for so many seeds has to be good for. It is
// needed before the seeds run, so it has their names before they have addresses, and of
// all seeds that there may be without another spec.
func CertificateHosts(n *v1.PeerNetwork, s resources.Settings, replicas int32, endpoints []Endpoints) []string {
	if auto := n.Spec.Autoscaling; auto != nil {
		replicas = max(replicas, auto.MaxReplicas)
	}
	var hosts []string
	for ordinal := range replicas {
		if n.Spec.Exposure.Domain != "" {
			hosts = append(hosts, resources.DomainHost(n, ordinal))
		} else {
			hosts = append(hosts, resources.SeedHost(n, s, ordinal))
		}
	}
	for _, e := range endpoints {
		for _, host := range e.Hosts {
			if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// maxNodes is for how many nodes a certificate is made in advance.
const maxNodes = 100

// NodesHosts are the hosts that a seed may have on any node. A certificate for all of
// them is there before a seed is on a node, where one for its node would come to it a
// minute or two later. There are none where seeds have other hosts.
func NodesHosts(n *v1.PeerNetwork, nodes []corev1.Node) []string {
	exposure := &n.Spec.Exposure
	if exposure.Type != v1.ExposeNodePort && exposure.Type != v1.ExposeHostPort || exposure.Domain != "" {
		return nil
	}
	// Of two nodes of the same second, it must be the same one each time.
	sorted := slices.SortedFunc(slices.Values(nodes), func(a, b corev1.Node) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	var hosts []string
	for _, node := range sorted[:min(len(sorted), maxNodes)] {
		hosts = append(hosts, NodeHosts(&node, exposure.AddressTypes, nil)...)
	}
	return hosts
}

// ServicesHosts are the hosts that seeds have by their Services alone, whether their
// pods are there or not.
func ServicesHosts(n *v1.PeerNetwork, s resources.Settings, services map[string]*corev1.Service) []string {
	var hosts []string
	for name, service := range services {
		if ordinal, ok := resources.Ordinal(n, name); ok {
			hosts = append(hosts, SeedEndpoints(n, s, Observed{Ordinal: ordinal, Service: service}).Hosts...)
		}
	}
	return hosts
}

// HaveAll tells whether all hosts that are needed are among those.
func HaveAll(hosts, needed []string) bool {
	return !slices.ContainsFunc(needed, func(host string) bool { return !slices.Contains(hosts, host) })
}

// IssuedHosts are what somebody else's authority is asked to certify: what is needed, and
// what it was asked for before as long as a seed may have that again, such as one whose
// pod is about to be made anew. Each time that they are others is work for the authority,
// and public ones count.
func IssuedHosts(needed, before, again []string) []string {
	hosts := slices.Clone(needed)
	for _, host := range before {
		if slices.Contains(again, host) {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
