package operator

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
)

// publish has the document be of the seeds that were reached.
func (r *Reconciler) publish(ctx context.Context, state *run) error {
	before, err := r.published(ctx, state)
	if err != nil {
		return err
	}
	var seeds []v1.SeedStatus
	for _, s := range state.seeds {
		seeds = append(seeds, s.status)
	}
	publication := plan.Publish(state.network.Spec.NetworkID, seeds, sequenceFloor(before, state.network.Status.Bootstrap))
	if err := r.publishDocument(ctx, state, publication.Document); err != nil {
		return err
	}
	if len(publication.Published) > 0 {
		r.event(state, corev1.EventTypeNormal, "Published", "Publish", strings.Join(publication.Published, ", "))
	}
	if len(publication.Withdrawn) > 0 {
		r.event(state, corev1.EventTypeNormal, "Withdrawn", "Publish", strings.Join(publication.Withdrawn, ", ")+withdrawnBecause(state, before))
	}
	return nil
}

// withdrawnBecause tells of the seeds that were published and are not any more.
func withdrawnBecause(state *run, before *plan.Document) string {
	if before == nil {
		return ""
	}
	var why []string
	for _, old := range before.Seeds {
		for _, s := range state.seeds {
			if s.status.Name == old.Name && !s.status.Published() {
				why = append(why, s.status.Name+": "+s.status.Message)
			}
		}
	}
	if len(why) == 0 {
		return ""
	}
	return " (" + strings.Join(why, "; ") + ")"
}
