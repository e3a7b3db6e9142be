package operator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// Of pods that are not made.
const (
	// unmadeTime is how long they are missing before somebody asks why, and askAgain
	// how long the answer is good.
	unmadeTime = 30 * time.Second
	askAgain   = time.Minute
	// refusalTime is how long a refusal counts. The StatefulSet's controller waits for
	// less before it tries again, 17 minutes at most.
	refusalTime = 20 * time.Minute
	// refusalsRead are read at a time, and of each as many bytes are told.
	refusalsRead  = 500
	refusalLength = noteLimit / 2
)

// unmade tells of pods that are missing: with the reason, once that is known, and in any
// case if they have been missing for too long. Either may be empty.
func (r *Reconciler) unmade(ctx context.Context, state *run, before *v1.PeerNetwork) (known, stalled string) {
	network := client.ObjectKeyFromObject(before)
	missing := missingPods(state)
	if len(missing) == 0 {
		r.memory.complete(network)
		return "", ""
	}
	first := state.now
	if progressing := meta.FindStatusCondition(before.Status.Conditions, v1.ConditionProgressing); progressing != nil && progressing.Reason == v1.ReasonStalled {
		first = first.Add(-stallTime) // as was found before a restart
	}
	since := r.memory.missing(network, first)
	if state.now.Sub(since) < unmadeTime {
		state.sooner(since.Add(unmadeTime))
		return "", ""
	}
	say := fmt.Sprintf("%d of %d pods are missing: ", len(missing), state.set.replicas)
	if why := r.whyUnmade(ctx, state, resources.SeedName(before, missing[0])); why != "" {
		known = say + why
	}
	if state.now.Sub(since) < stallTime {
		state.sooner(since.Add(stallTime))
		return known, ""
	}
	if known != "" {
		return known, known
	}
	return "", say + fmt.Sprintf("kubectl -n %s describe statefulset %s shows why they are not made", before.Namespace, resources.SeedsName(before))
}

// missingPods are the numbers of seeds that the StatefulSet has no pod of.
func missingPods(state *run) []int32 {
	var missing []int32
	for ordinal := range state.set.replicas {
		if !slices.ContainsFunc(state.seeds, func(s seed) bool { return s.ordinal == ordinal }) {
			missing = append(missing, ordinal)
		}
	}
	return missing
}

// whyUnmade is why a pod is not made, or empty. The status of a StatefulSet does not tell,
// only the events of its controller do.
func (r *Reconciler) whyUnmade(ctx context.Context, state *run, pod string) string {
	network := client.ObjectKeyFromObject(state.network)
	if why, known := r.memory.refusal(network, state.now); known {
		return why
	}
	var refusals eventsv1.EventList
	err := r.Reader.List(ctx, &refusals, client.InNamespace(network.Namespace), client.Limit(refusalsRead),
		client.MatchingFields{"regarding.uid": string(state.set.uid), "reason": "FailedCreate"})
	if err != nil && !apierrors.IsForbidden(err) { // who does not let events be read has no reason told
		log.FromContext(ctx).Info("why pods are not made is not known", "err", err)
	}
	why := lastRefusal(refusals.Items, pod, state.now)
	r.memory.keepRefusal(network, why, state.now)
	return why
}

// lastRefusal is what was said last of that pod, or else of any; empty if that was too
// long ago. To tell of the same pod each time keeps the status as it is.
func lastRefusal(refusals []eventsv1.Event, pod string, now time.Time) string {
	refusals = slices.DeleteFunc(refusals, func(e eventsv1.Event) bool { return now.Sub(lastSeen(e)) > refusalTime })
	if len(refusals) == 0 {
		return ""
	}
	ofPod := func(e eventsv1.Event) int {
		if strings.Contains(e.Note, " "+pod+" ") {
			return 1
		}
		return 0
	}
	last := slices.MaxFunc(refusals, func(a, b eventsv1.Event) int {
		return cmp.Or(cmp.Compare(ofPod(a), ofPod(b)), lastSeen(a).Compare(lastSeen(b)))
	})
	return cut(last.Note, refusalLength)
}

// lastSeen is when an event was told last, in any of the ways that events say it.
func lastSeen(e eventsv1.Event) time.Time {
	last := e.EventTime.Time
	if e.Series != nil && e.Series.LastObservedTime.After(last) {
		last = e.Series.LastObservedTime.Time
	}
	if e.DeprecatedLastTimestamp.After(last) {
		last = e.DeprecatedLastTimestamp.Time
	}
	return last
}
