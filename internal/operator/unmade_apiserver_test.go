//go:build apiserver

package operator

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// refused has the StatefulSet's controller tell that a pod cannot be made, now.
func (w *world) refused(uid types.UID, reason, message string) {
	w.Helper()
	w.must(w.client.Create(w.Context(), &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: "demo-seed.", Namespace: w.network.Namespace},
		InvolvedObject: corev1.ObjectReference{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: w.network.Namespace, Name: "demo-seed", UID: uid},
		Reason:         reason, Message: message, Type: corev1.EventTypeWarning,
		FirstTimestamp: metav1.NewTime(w.now), LastTimestamp: metav1.NewTime(w.now), Count: 1,
	}))
}

const quota = `create Pod demo-seed-0 in StatefulSet demo-seed failed error: pods "demo-seed-0" is forbidden: exceeded quota: small`

// Why pods are not made is in the status long before they are given up, and goes when
// they are there.
func TestAPIServerTellsWhyPodsAreMissing(t *testing.T) {
	w := newWorld(t, *onHostPorts.DeepCopy())
	w.settled()
	w.refused("of a StatefulSet that has gone", "FailedCreate", "create Pod demo-seed-0 of old")
	w.refused(w.set().UID, "SuccessfulCreate", "create Pod demo-seed-0 in StatefulSet demo-seed successful")
	w.now = w.now.Add(unmadeTime)
	w.settled()
	w.wantConditions("Progressing True Creating: 0 of 2 seeds are ready")
	if message := w.network.Status.Conditions[1].Message; strings.Contains(message, "missing") {
		t.Errorf("nothing was refused, and said is %q", message)
	}
	w.refused(w.set().UID, "FailedCreate", quota)
	w.now = w.now.Add(askAgain)
	w.settled()
	w.wantConditions("Progressing True Creating: 0 of 2 seeds are ready; 2 of 2 pods are missing: " + quota)

	w.now = w.now.Add(stallTime)
	w.told()
	w.settled()
	w.wantConditions("Progressing False Stalled: 2 of 2 pods are missing: " + quota)
	if told := w.told(); !hasTold(told, v1.ReasonStalled, quota) {
		t.Errorf("told is %q", told)
	}
	w.reconciler.forget(client.ObjectKeyFromObject(w.network))
	w.settled()
	w.wantConditions("Progressing False Stalled: 2 of 2 pods are missing: " + quota)

	for ordinal := range int32(2) {
		pod := w.pod(resources.SeedName(w.network, ordinal), w.node("203.0.113.40"))
		t.Cleanup(func() { w.gone(pod) })
	}
	w.settled()
	w.wantConditions("Progressing False Complete: all of 2 seeds are ready")
}

// The API server is asked why once a minute at most, and nothing fails if it does not
// let events be read.
func TestAPIServerAsksSeldomWhyPodsAreMissing(t *testing.T) {
	w := newWorld(t, *onHostPorts.DeepCopy())
	asked := 0
	w.reconciler.Reader = interceptor.NewClient(w.reconciler.Reader.(client.WithWatch), interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			if _, is := list.(*eventsv1.EventList); is {
				asked++
				return apierrors.NewForbidden(eventsv1.Resource("events"), "", nil)
			}
			return c.List(ctx, list, options...)
		},
	})
	w.settled()
	w.refused(w.set().UID, "FailedCreate", quota)
	if asked != 0 {
		t.Errorf("it was asked %d times while pods may be on their way", asked)
	}
	for minutes := 1; minutes <= 3; minutes++ {
		w.now = w.now.Add(askAgain)
		w.settled()
		if asked != minutes {
			t.Errorf("within %d minutes it was asked %d times", minutes, asked)
		}
	}
	w.now = w.now.Add(stallTime)
	w.settled()
	w.wantConditions("Progressing False Stalled: 2 of 2 pods are missing: kubectl -n " + w.network.Namespace + " describe statefulset demo-seed")
}
