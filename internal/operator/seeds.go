package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// seeds applies what runs the seeds and leads to them. If there is a problem, the seeds
// themselves stay as they are: others might not start.
func (r *Reconciler) seeds(ctx context.Context, state *run) error {
	n := state.network
	ranges, err := r.serviceRanges(ctx)
	if err != nil {
		return err
	}
	for _, object := range []any{resources.ServiceAccount(n), resources.HeadlessService(n), resources.DisruptionBudget(n)} {
		if err := state.goOn(r.apply(ctx, n, object)); err != nil {
			return err
		}
	}
	if err := state.goOn(r.networkPolicy(ctx, state, ranges)); err != nil {
		return err
	}
	if err := r.seedServices(ctx, state); err != nil {
		return err
	}
	if err := state.goOn(r.firstDocument(ctx, state)); err != nil {
		return err
	}
	if state.problem != nil {
		return nil
	}
	written, err := r.applyOther(ctx, n, resources.StatefulSet(n, r.Settings, state.replicas, plan.DeniedPeers(n, ranges)))
	if err != nil {
		return err
	}
	if written {
		state.set.revision = ""
	}
	state.applied = true
	return nil
}

// serviceRanges are those that the cluster gives Services addresses of. Kubernetes
// before 1.33 does not tell them; then spec.networkPolicy.clusterCIDRs has to.
func (r *Reconciler) serviceRanges(ctx context.Context) ([]netip.Prefix, error) {
	if !r.memory.tellsRanges(r.Now()) {
		return nil, nil
	}
	var list networkingv1.ServiceCIDRList
	err := r.Client.List(ctx, &list)
	if meta.IsNoMatchError(err) {
		r.memory.keepRangeless(r.Now())
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list ServiceCIDRs: %w", err)
	}
	var ranges []netip.Prefix
	for _, item := range list.Items {
		for _, cidr := range item.Spec.CIDRs {
			if prefix, err := netip.ParsePrefix(cidr); err == nil {
				ranges = append(ranges, prefix)
			}
		}
	}
	return ranges, nil
}

func (r *Reconciler) networkPolicy(ctx context.Context, state *run, ranges []netip.Prefix) error {
	n := state.network
	if resources.HasNetworkPolicy(n) {
		return r.apply(ctx, n, resources.NetworkPolicy(n, r.Settings, plan.ClusterRanges(n, ranges, state.nodes)))
	}
	var policy networkingv1.NetworkPolicy
	err := r.Client.Get(ctx, types.NamespacedName{Namespace: n.Namespace, Name: resources.SeedsName(n)}, &policy)
	if apierrors.IsNotFound(err) || err == nil && !metav1.IsControlledBy(&policy, n) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the NetworkPolicy: %w", err)
	}
	return r.delete(ctx, "NetworkPolicy", &policy)
}

// seedServices are those of seeds that are to be, and of those that have not gone yet.
func (r *Reconciler) seedServices(ctx context.Context, state *run) error {
	n := state.network
	ordinals := max(state.replicas, state.set.replicas)
	for _, s := range state.seeds {
		ordinals = max(ordinals, s.ordinal+1)
	}
	wanted := map[string]bool{resources.SeedsName(n): true}
	for _, service := range resources.SeedServices(n, ordinals) {
		wanted[*service.Name] = true
		live := state.services[*service.Name]
		if live != nil && mustBeNew(service, live) {
			if !live.DeletionTimestamp.IsZero() {
				continue // it is made when it has gone
			}
			if err := r.delete(ctx, "Service", live); err != nil {
				return err
			}
			r.event(state, corev1.EventTypeNormal, "ServiceReplaced", "Expose", "the Service "+live.Name+" is made again for another exposure; the seed gets other addresses")
			continue
		}
		if err := state.goOn(r.apply(ctx, n, service)); err != nil {
			return err
		}
	}
	for name, service := range state.services {
		if wanted[name] {
			continue
		}
		if err := r.delete(ctx, "Service", service); err != nil {
			return err
		}
	}
	return nil
}

// delete deletes an object of a network, if it is there and is the one that was seen.
// One that is being deleted may have to wait, such as for its load balancer to go.
func (r *Reconciler) delete(ctx context.Context, kind string, object client.Object) error {
	if object.GetDeletionTimestamp() != nil {
		return nil
	}
	uid := object.GetUID()
	err := r.Client.Delete(ctx, object, client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the %s %s: %w", kind, object.GetName(), err)
	}
	r.Metrics.wrote(kind)
	return nil
}

// mustBeNew tells whether a Service cannot become what it is to be: Kubernetes does
// not let the class of a load balancer be changed, nor a headless Service be another.
func mustBeNew(desired *corev1ac.ServiceApplyConfiguration, live *corev1.Service) bool {
	headless := desired.Spec.ClusterIP != nil && *desired.Spec.ClusterIP == corev1.ClusterIPNone
	if headless != (live.Spec.ClusterIP == corev1.ClusterIPNone) {
		return true
	}
	if live.Spec.Type != corev1.ServiceTypeLoadBalancer || *desired.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return false
	}
	if desired.Spec.LoadBalancerClass == nil {
		return classIsOurs(live) // any that the cluster set is as good
	}
	return live.Spec.LoadBalancerClass == nil || *live.Spec.LoadBalancerClass != *desired.Spec.LoadBalancerClass
}

// classIsOurs tells whether the operator applied the class of a Service's load balancer.
// To apply the Service without one would take it away.
func classIsOurs(live *corev1.Service) bool {
	return slices.ContainsFunc(live.ManagedFields, func(entry metav1.ManagedFieldsEntry) bool {
		if entry.Manager != string(fieldOwner) || entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			return false
		}
		var fields struct {
			Spec map[string]json.RawMessage `json:"f:spec"`
		}
		err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields)
		_, ours := fields.Spec["f:loadBalancerClass"]
		return err == nil && ours
	})
}
