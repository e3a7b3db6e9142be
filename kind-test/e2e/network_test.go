//go:build e2e

package e2e

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// network is a PeerNetwork.
type network struct {
	*space
	name string
	// id is what peers give. It has the namespace in it, so that no two tests meet.
	id string
}

// network applies a PeerNetwork, of which spec is the rest of the spec in YAML or JSON, and
// waits until all of its seeds are published.
func (s *space) network(name, spec string) *network {
	s.t.Helper()
	n := s.applyNetwork(name, spec)
	n.settled()
	return n
}

// applyNetwork does not wait.
func (s *space) applyNetwork(name, spec string) *network {
	s.t.Helper()
	n := &network{space: s, name: name, id: s.namespace + "/" + name}
	n.change(spec)
	return n
}

// change applies another spec.
func (n *network) change(spec string) {
	n.t.Helper()
	fields := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		n.t.Fatalf("the spec %q: %v", spec, err)
	}
	fields["networkID"] = n.id
	manifest, err := yaml.Marshal(map[string]any{
		"apiVersion": v1.GroupVersion.String(), "kind": v1.Kind,
		"metadata": map[string]any{"name": n.name}, "spec": fields,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.apply(string(manifest))
}

// await waits until the PeerNetwork is as wanted, and returns it.
func (n *network) await(what string, ok func(*v1.PeerNetwork) bool) *v1.PeerNetwork {
	n.t.Helper()
	return await(n.space, &v1.PeerNetwork{ObjectMeta: metav1.ObjectMeta{Name: n.name}}, &v1.PeerNetworkList{}, what, ok)
}

// settled waits until the spec is met: so many seeds as it says are there, and published
// at all their addresses.
func (n *network) settled() *v1.PeerNetwork {
	n.t.Helper()
	return n.await("the PeerNetwork settles", settled)
}

func settled(p *v1.PeerNetwork) bool {
	return p.Status.ObservedGeneration == p.Generation &&
		holds(p, v1.ConditionAvailable, v1.ReasonSeedsReachable) &&
		holds(p, v1.ConditionPublished, v1.ReasonAllSeedsPublished) &&
		holds(p, v1.ConditionProgressing, v1.ReasonComplete) &&
		p.Status.Replicas == p.Status.DesiredReplicas &&
		!slices.ContainsFunc(p.Status.Seeds, func(s v1.SeedStatus) bool { return s.Reason != v1.SeedReached })
}

// holds tells whether a condition has that reason now.
func holds(p *v1.PeerNetwork, condition, reason string) bool {
	found := meta.FindStatusCondition(p.Status.Conditions, condition)
	return found != nil && found.Reason == reason
}

// get reads an object of the namespace.
func (s *space) get(name string, object client.Object) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), stepTime)
	defer cancel()
	if err := s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, object); err != nil {
		s.t.Fatalf("read %T %s: %v", object, name, err)
	}
}

func (n *network) status() *v1.PeerNetworkStatus {
	n.t.Helper()
	var p v1.PeerNetwork
	n.get(n.name, &p)
	return &p.Status
}

// published is the ConfigMap that clients get addresses from.
func (n *network) published() map[string]string {
	n.t.Helper()
	var config corev1.ConfigMap
	n.get(n.name+"-bootstrap", &config)
	return config.Data
}

// addresses are the published URLs of a scheme, such as wss; of all seeds, in their order.
func (n *network) addresses(scheme string) []string {
	n.t.Helper()
	all := strings.Fields(n.published()["addresses"])
	of := slices.DeleteFunc(all, func(address string) bool { return !strings.HasPrefix(address, scheme+"://") })
	if len(of) == 0 {
		n.t.Fatalf("no address with %s is published", scheme)
	}
	return of
}

// ca is the published certificate of the authority, in PEM. caFile is a file with it.
func (n *network) ca() []byte {
	n.t.Helper()
	return []byte(n.published()["ca.crt"])
}

func (n *network) caFile() string {
	n.t.Helper()
	return n.file("ca.crt", n.ca())
}

// roots trust the network, and nobody else.
func (n *network) roots() *x509.CertPool {
	n.t.Helper()
	pool := x509.NewCertPool()
	if ca := n.ca(); !pool.AppendCertsFromPEM(ca) {
		n.t.Fatalf("the published ca.crt is no certificate: %q", ca)
	}
	return pool
}

// seedName is the name of a seed and of its pod.
func (n *network) seedName(ordinal int) string { return fmt.Sprintf("%s-seed-%d", n.name, ordinal) }

// settledAt waits until there are that many seeds, and all are published.
func (n *network) settledAt(seeds int) {
	n.t.Helper()
	n.await(itoa(seeds)+" seeds are published", func(p *v1.PeerNetwork) bool {
		return settled(p) && len(p.Status.Seeds) == seeds
	})
}

func itoa(n int) string { return strconv.Itoa(n) }
