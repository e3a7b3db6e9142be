package operator

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
)

// reach connects to every seed at its addresses.
func (r *Reconciler) reach(ctx context.Context, state *run) error {
	var reaching errgroup.Group
	reaching.SetLimit(askAtOnce)
	for i := range state.seeds {
		s := &state.seeds[i]
		switch {
		case s.status.Draining:
			s.status.Reason, s.status.Message = v1.SeedDraining, "it is about to go"
		case !s.status.Ready:
			s.status.Reason, s.status.Message = v1.SeedPending, waiting(&s.pod)
		case s.endpoints.Missing != "":
			s.status.Reason, s.status.Message = v1.SeedNoAddress, s.endpoints.Missing
		default:
			reaching.Go(func() error {
				s.status.Reason, s.status.Message = r.Seeds.Reach(ctx, probe.Target{
					NetworkID:   state.network.Spec.NetworkID,
					Addresses:   s.endpoints.Addresses,
					TURN:        s.endpoints.TURN,
					Authorities: state.authorities,
				})
				s.status.Reachable = s.status.Reason == v1.SeedReached
				return nil
			})
		}
	}
	return reaching.Wait()
}

// waiting is why a pod does not take connections yet.
func waiting(pod *corev1.Pod) string {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return "it is on no node: " + condition.Message
		}
	}
	for _, container := range pod.Status.ContainerStatuses {
		switch state, last := container.State, container.LastTerminationState.Terminated; {
		case state.Waiting != nil && state.Waiting.Reason == "CrashLoopBackOff" && last != nil && last.Message != "":
			// That it waits to be started again says less than why it ended.
			return "it ended: " + lastLine(last.Message)
		case state.Waiting != nil && state.Waiting.Reason != "":
			return strings.TrimSuffix(state.Waiting.Reason+": "+state.Waiting.Message, ": ")
		case state.Terminated != nil:
			return strings.TrimSuffix("it ended: "+lastLine(state.Terminated.Message), ": ")
		}
	}
	return "it starts"
}

// lastLine is what a program said at its end: its message is the end of its log.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

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
