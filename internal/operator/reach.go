package operator

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/lookout"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
)

// reach takes how it is to reach each seed at its addresses.
func (r *Reconciler) reach(_ context.Context, state *run) error {
	key := client.ObjectKeyFromObject(state.network)
	var seeds []lookout.Seed
	var looked []*seed
	for i := range state.seeds {
		s := &state.seeds[i]
		one := lookout.Seed{Pod: &s.pod, Load: state.network.Spec.Autoscaling != nil}
		switch {
		case s.status.Draining:
			s.status.Reason, s.status.Message = v1.SeedDraining, "it is about to go"
		case !s.status.Ready:
			s.status.Reason, s.status.Message = v1.SeedPending, waiting(&s.pod)
			continue
		case s.endpoints.Missing != "":
			s.status.Reason, s.status.Message = v1.SeedNoAddress, s.endpoints.Missing
		default:
			one.Target = &probe.Target{
				NetworkID:   state.network.Spec.NetworkID,
				Addresses:   s.endpoints.Addresses,
				TURN:        s.endpoints.TURN,
				Authorities: state.authorities,
			}
		}
		seeds, looked = append(seeds, one), append(looked, s)
	}
	for i, sighting := range r.Seeds.Look(key, seeds) {
		s := looked[i]
		if seeds[i].Target == nil {
			continue
		}
		before := seedBefore(state, s)
		if before != nil && before.Reachable && anyOf(before.Addresses, sighting.Untrusted) && r.memory.trusting(key) {
			return errReadAgain // its certificate may be of another authority by now
		}
		tell(&s.status, before, sighting)
	}
	return nil
}

// tell has a seed's status say how it was to reach it, and have the URLs that are
// published: those that were reached. If it is withheld it has all addresses, which are
// those to look at. before is what the status says of it there, or nil.
func tell(status, before *v1.SeedStatus, sighting probe.Sighting) {
	status.Reason, status.Message, status.Reachable = sighting.Reason, sighting.Message, sighting.Reachable
	out := func(url string) bool { return slices.Contains(sighting.Silent, url) }
	addresses, turn := without(status.Addresses, out), without(status.TURNAddresses, out)
	if sighting.Reason == v1.SeedNotProbed {
		status.Message = "its addresses are about to be tried for the first time"
		// After a restart of the operator, and while another address is tried, what was
		// published stays until it is known to be wrong.
		if before != nil && before.Reason != v1.SeedNoAddress {
			status.Reason, status.Message, status.Reachable = before.Reason, before.Message, before.Reachable
			addresses = without(addresses, func(url string) bool { return !slices.Contains(before.Addresses, url) })
			turn = without(turn, func(url string) bool { return !slices.Contains(before.TURNAddresses, url) })
		}
	}
	status.TURNAddresses = turn
	if status.Reachable {
		status.Addresses = addresses
	}
}

// without is a list of its own of those URLs that are not out.
func without(urls []string, out func(url string) bool) []string {
	return slices.DeleteFunc(slices.Clone(urls), out)
}

func anyOf(urls, these []string) bool {
	return slices.ContainsFunc(urls, func(url string) bool { return slices.Contains(these, url) })
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
		case state.Waiting != nil && state.Waiting.Reason == "ContainerCreating" && state.Waiting.Message == "":
			return "its container is not made yet; kubectl describe pod " + pod.Name + " shows what is missing, if it stays so"
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
