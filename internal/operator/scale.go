package operator

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerexchange/peerexchange/internal/operator/plan"
)

// scale decides on the number of seeds.
func (r *Reconciler) scale(_ context.Context, state *run) error {
	status := &state.network.Status
	in := plan.ScaleInput{Spec: &state.network.Spec, Current: status.DesiredReplicas, Now: state.now}
	if in.Current == 0 && state.set.exists {
		in.Current = state.set.replicas // the status was lost, as in a backup that is without it
	}
	var present []int32
	for _, s := range state.seeds {
		present = append(present, s.ordinal)
		in.Loads = append(in.Loads, plan.Load{Ordinal: s.ordinal, Peers: s.peers})
	}
	if status.Autoscaling != nil && status.Autoscaling.FewerSince != nil {
		in.FewerSince = &status.Autoscaling.FewerSince.Time
	}
	decision := plan.Replicas(in)
	state.desired, state.fewerSince = decision.Replicas, decision.FewerSince
	state.replicas = decision.Replicas
	if state.set.exists {
		state.replicas = plan.Step(state.set.replicas, decision.Replicas, present)
	}
	if decision.Message != "" {
		r.afterStatus(state, func() {
			if !state.applied {
				return // it is decided again
			}
			if in.Current > 0 {
				r.Metrics.scaled(in.Current, decision.Replicas)
			}
			r.record(state, corev1.EventTypeNormal, "Scaled", "Scale", decision.Message)
		})
	}
	if state.fewerSince != nil {
		state.sooner(state.fewerSince.Add(plan.Window(state.network.Spec.Autoscaling)))
	}
	return nil
}
