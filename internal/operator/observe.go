package operator

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// seed is one that exists.
type seed struct {
	ordinal   int32
	pod       corev1.Pod
	endpoints plan.Endpoints
	status    v1.SeedStatus
	// peers are those that it told of since the operator runs; nil if it did not.
	peers *int32
}

// observedSet is the StatefulSet as it is.
type observedSet struct {
	exists   bool
	uid      types.UID
	replicas int32
	// revision is the one that pods are to be of; empty until the StatefulSet's
	// controller has seen the last change, that of this reconcile included.
	revision string
}

// observe reads what there is of a network, and asks its seeds.
func (r *Reconciler) observe(ctx context.Context, state *run) error {
	n := state.network
	if err := r.observeSet(ctx, state); err != nil {
		return err
	}
	var services corev1.ServiceList
	if err := r.Client.List(ctx, &services, client.InNamespace(n.Namespace), client.MatchingLabels(resources.Selector(n))); err != nil {
		return fmt.Errorf("list Services: %w", err)
	}
	state.services = make(map[string]*corev1.Service)
	for _, service := range services.Items {
		if metav1.IsControlledBy(&service, n) {
			state.services[service.Name] = &service
		}
	}
	var nodes corev1.NodeList
	if err := r.Client.List(ctx, &nodes); err != nil {
		return fmt.Errorf("list Nodes: %w", err)
	}
	state.nodes = nodes.Items
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.InNamespace(n.Namespace), client.MatchingLabels(resources.Selector(n))); err != nil {
		return fmt.Errorf("list Pods: %w", err)
	}
	for _, pod := range pods.Items {
		if ordinal, ok := resources.Ordinal(n, pod.Name); ok && isOfSet(&pod, n) {
			state.seeds = append(state.seeds, r.observeSeed(state, ordinal, pod))
		}
	}
	slices.SortFunc(state.seeds, func(a, b seed) int { return cmp.Compare(a.ordinal, b.ordinal) })
	for i := range state.seeds {
		r.hearSeed(state, &state.seeds[i])
	}
	return nil
}

func (r *Reconciler) observeSet(ctx context.Context, state *run) error {
	n := state.network
	var set appsv1.StatefulSet
	err := r.Client.Get(ctx, types.NamespacedName{Namespace: n.Namespace, Name: resources.SeedsName(n)}, &set)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the StatefulSet: %w", err)
	}
	state.set = observedSet{exists: true, uid: set.UID, replicas: 1}
	if set.Status.ObservedGeneration == set.Generation {
		state.set.revision = set.Status.UpdateRevision
	}
	if set.Spec.Replicas != nil {
		state.set.replicas = *set.Spec.Replicas
	}
	return nil
}

// isOfSet tells whether a pod is of the network's StatefulSet: who may make pods in the
// namespace can give any the name of a seed, and its labels. One of a StatefulSet of that
// name that was deleted counts until it has gone.
func isOfSet(pod *corev1.Pod, n *v1.PeerNetwork) bool {
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == "StatefulSet" && owner.Name == resources.SeedsName(n)
}

// observeSeed is what the cluster knows of a seed.
func (r *Reconciler) observeSeed(state *run, ordinal int32, pod corev1.Pod) seed {
	n := state.network
	seen := plan.Observed{
		Ordinal:    ordinal,
		Pod:        &pod,
		Service:    state.services[resources.SeedName(n, ordinal)],
		UDPService: state.services[resources.SeedUDPName(n, ordinal)],
	}
	s := seed{ordinal: ordinal, pod: pod}
	s.status = v1.SeedStatus{Name: pod.Name, NodeName: pod.Spec.NodeName, Ready: isReady(&pod), Draining: !pod.DeletionTimestamp.IsZero()}
	if i := slices.IndexFunc(state.nodes, func(node corev1.Node) bool { return node.Name == pod.Spec.NodeName }); i >= 0 {
		seen.Node = &state.nodes[i]
	}
	s.endpoints = plan.SeedEndpoints(n, r.Settings, seen)
	s.status.Addresses, s.status.TURNAddresses = s.endpoints.Addresses, s.endpoints.TURN
	return s
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// hearSeed takes what a seed said of its peers. One that does not answer is one that
// does not tell. What nobody asked yet, as after a restart, the status goes on to show;
// nothing is decided by it.
func (r *Reconciler) hearSeed(state *run, s *seed) {
	if !s.status.Ready {
		return
	}
	report, known := r.Seeds.Report(client.ObjectKeyFromObject(state.network), &s.pod)
	switch {
	case report != nil:
		s.peers, s.status.Peers = &report.Peers, &report.Peers
		s.status.Draining = s.status.Draining || report.Draining
	case !known:
		if before := seedBefore(state, s); before != nil {
			s.status.Peers = before.Peers
		}
	}
}

// seedBefore is what the status says of a seed that took connections then, if it has an
// address of then, or had none then as now; or nil. Of its addresses the status has
// those that were reached.
func seedBefore(state *run, s *seed) *v1.SeedStatus {
	seeds := state.network.Status.Seeds
	i := slices.IndexFunc(seeds, func(before v1.SeedStatus) bool { return before.Name == s.status.Name })
	if i < 0 || !seeds[i].Ready || seeds[i].Draining || seeds[i].NodeName != s.status.NodeName {
		return nil
	}
	now := s.endpoints.Addresses
	stays := func(address string) bool { return slices.Contains(now, address) }
	if !slices.ContainsFunc(seeds[i].Addresses, stays) && len(seeds[i].Addresses)+len(now) > 0 {
		return nil
	}
	return &seeds[i]
}
