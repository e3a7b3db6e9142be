package operator

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// stallTime is how long a pod may take until it is there, and then until it is ready.
const stallTime = 10 * time.Minute

// writeStatus patches the status, once, if it is another. failed is what ended the
// phases; what they did not get to is left as it was.
func (r *Reconciler) writeStatus(ctx context.Context, state *run, failed error) error {
	before := state.network.DeepCopy()
	status := &state.network.Status
	facts := plan.Facts{Generation: before.Generation}
	if failed != nil {
		facts.Problem = &plan.Finding{Reason: v1.ReasonReconcileFailed, Message: failed.Error()}
	} else {
		r.fillStatus(state, status)
		facts = r.facts(ctx, state, before)
	}
	status.ObservedGeneration = before.Generation
	for _, condition := range plan.Conditions(facts) {
		condition.LastTransitionTime = metav1.NewTime(state.now)
		meta.SetStatusCondition(&status.Conditions, condition)
	}
	r.warn(state, before.Status.Conditions, status.Conditions)
	if equality.Semantic.DeepEqual(before.Status, *status) {
		return nil
	}
	err := r.Client.Status().Patch(ctx, state.network, client.MergeFrom(before))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	r.Metrics.wrote(v1.Kind)
	return nil // a network that has gone has no status
}

// fillStatus is for a reconcile that came to its end. What a problem kept it from is left
// as it was.
func (r *Reconciler) fillStatus(state *run, status *v1.PeerNetworkStatus) {
	status.Replicas, status.ReadyReplicas, status.Peers, status.Address = 0, 0, 0, ""
	status.Selector = labels.SelectorFromSet(resources.Selector(state.network)).String()
	status.Seeds = nil
	for _, s := range state.seeds {
		status.Seeds = append(status.Seeds, s.status)
		status.Replicas++
		if s.status.Ready && !s.status.Draining {
			status.ReadyReplicas++
		}
		if s.status.Peers != nil {
			status.Peers += *s.status.Peers
		}
		if status.Address == "" && s.status.Published() {
			status.Address = s.status.Addresses[0]
		}
	}
	if state.sequence > 0 {
		status.Bootstrap = &v1.BootstrapStatus{
			ConfigMapName: resources.BootstrapName(state.network),
			Sequence:      state.sequence,
			PublicKey:     publicKey(state.signingKey),
		}
	}
	if !state.applied {
		return
	}
	status.DesiredReplicas, status.Autoscaling = state.desired, nil
	if state.fewerSince != nil {
		since := metav1.NewTime(*state.fewerSince)
		status.Autoscaling = &v1.AutoscalingStatus{FewerSince: &since}
	}
}

func (r *Reconciler) facts(ctx context.Context, state *run, before *v1.PeerNetwork) plan.Facts {
	facts := plan.Facts{
		Generation:       before.Generation,
		Certificate:      state.certificate,
		CertificateReady: state.certificateReady,
		Desired:          state.desired,
		Seeds:            state.network.Status.Seeds,
		New:              isNew(before),
		Added:            areAdded(before, state.desired),
		Unseen:           state.set.revision == "",
	}
	if state.problem != nil {
		facts.Problem = &state.problem.Finding
	}
	for _, s := range state.seeds {
		if revision := s.pod.Labels[appsv1.ControllerRevisionHashLabelKey]; revision != "" && revision == state.set.revision {
			facts.Updated++
		}
		if facts.Stalled == "" {
			facts.Stalled = stalled(s, state)
		}
	}
	unmade, stalled := r.unmade(ctx, state, before)
	facts.Unmade = unmade
	if facts.Stalled == "" {
		facts.Stalled = stalled
	}
	return facts
}

// isNew tells whether the seeds have never been all ready: nothing was published, or
// they were being made.
func isNew(n *v1.PeerNetwork) bool {
	if n.Status.Bootstrap == nil || n.Status.Bootstrap.Sequence <= 1 {
		return true
	}
	progressing := meta.FindStatusCondition(n.Status.Conditions, v1.ConditionProgressing)
	return progressing != nil && progressing.Reason == v1.ReasonCreating
}

// areAdded tells whether there are to be more seeds than before, or were and not all of
// those became ready since.
func areAdded(before *v1.PeerNetwork, desired int32) bool {
	if before.Status.DesiredReplicas != desired {
		return before.Status.DesiredReplicas < desired
	}
	progressing := meta.FindStatusCondition(before.Status.Conditions, v1.ConditionProgressing)
	return progressing != nil && progressing.Reason == v1.ReasonScalingUp
}

// stalled is what keeps a seed from being ready for too long, or empty.
func stalled(s seed, state *run) string {
	if s.status.Ready || s.status.Draining {
		return ""
	}
	since := s.pod.CreationTimestamp.Time
	for _, condition := range s.pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.LastTransitionTime.After(since) {
			since = condition.LastTransitionTime.Time
		}
	}
	if state.now.Sub(since) < stallTime {
		state.sooner(since.Add(stallTime))
		return ""
	}
	return fmt.Sprintf("%s is not ready since %s: %s", s.status.Name, since.UTC().Format(time.RFC3339), s.status.Message)
}
