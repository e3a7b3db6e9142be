//go:build apiserver

package operator

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// failures are what keeps a decision from being written, and a way to end it.
var failures = map[string]func(*world) (heal func()){
	"the API server refuses the seeds": func(w *world) func() {
		return w.intercepted(interceptor.Funcs{
			Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
				return errors.New("refused")
			},
		})
	},
	"the API server refuses the document, after the seeds": func(w *world) func() {
		w.must(w.client.Delete(w.Context(), named[corev1.ConfigMap](w, "demo-bootstrap")))
		return w.intercepted(interceptor.Funcs{
			Apply: func(ctx context.Context, c client.WithWatch, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
				encoded, err := json.Marshal(object)
				if err != nil || strings.Contains(string(encoded), `"kind":"ConfigMap"`) {
					return errors.Join(err, errors.New("refused"))
				}
				return c.Apply(ctx, object, options...)
			},
		})
	},
	"the API server refuses the status": func(w *world) func() {
		return w.intercepted(interceptor.Funcs{
			SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
				return errors.New("refused")
			},
		})
	},
	"the spec is wrong": func(w *world) func() {
		w.update(func(s *v1.PeerNetworkSpec) {
			s.Pod.Tolerations = []corev1.Toleration{{Key: "dedicated", Operator: "Equals"}}
		})
		return func() { w.update(func(s *v1.PeerNetworkSpec) { s.Pod.Tolerations = nil }) }
	},
}

// intercepted has calls of the operator fail until the function is called.
func (w *world) intercepted(calls interceptor.Funcs) (heal func()) {
	allowed := w.reconciler.Client.(client.WithWatch)
	w.reconciler.Client = interceptor.NewClient(allowed, calls)
	return func() { w.reconciler.Client = allowed }
}

// However often a decision is tried, it is told of and counted once, when it is seen in
// the status.
func TestAPIServerTellsDecisionsOnce(t *testing.T) {
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			w := published(t)
			w.reconciler.Metrics = NewMetrics()
			w.told()
			heal := fail(w)
			w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 3 })
			for range 3 {
				w.now = w.now.Add(failTime)
				_, _ = w.reconciler.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(w.network)})
			}
			w.get(w.network)
			if told, up := w.told(), w.reconciler.Metrics.scaledUp; hasTold(told, "Scaled", "") || up != 0 {
				t.Errorf("before it is done, told is %q, and counted %d", told, up)
			}
			heal()
			w.settled()
			w.wantSeeds("after it is healed", 3, 3)
			told := strings.Join(w.told(), "\n")
			if up := w.reconciler.Metrics.scaledUp; strings.Count(told, "3 seeds instead of 1: spec.replicas says so") != 1 || up != 1 {
				t.Errorf("told is %q, and counted %d", told, up)
			}
		})
	}
}

// Of more addresses than an event has room for is told as far as it goes.
func TestAPIServerTellsWhatFits(t *testing.T) {
	const seeds = 30
	w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}, Replicas: seeds})
	w.running(seeds)
	w.settled()
	if told := w.told(); !hasTold(told, "Published", " more") || !hasTold(told, "Published", "wss://203.0.113.100:8443") {
		t.Errorf("told is %q", told)
	}
	for _, s := range w.network.Status.Seeds {
		w.unreached[s.Addresses[0]] = v1.SeedDialFailed
	}
	w.settled()
	if told := w.told(); !hasTold(told, "Withdrawn", " more (demo-seed-0: nothing answers at wss://203.0.113.100:8443; ") || !hasTold(told, "Withdrawn", " more)") {
		t.Errorf("told is %q", told)
	}
}

// The API server takes the longest event that is told, and none that is longer.
func TestAPIServerTakesEvents(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{})
	for length, taken := range map[int]bool{noteLimit: true, noteLimit + 1: false} {
		err := w.client.Create(t.Context(), &eventsv1.Event{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "demo-", Namespace: w.network.Namespace}, EventTime: metav1.NowMicro(),
			ReportingController: "peerexchange-operator", ReportingInstance: "test", Action: "Publish", Reason: "Published", Type: corev1.EventTypeNormal,
			Regarding: corev1.ObjectReference{Kind: v1.Kind, Name: w.network.Name, Namespace: w.network.Namespace}, Note: strings.Repeat("a", length),
		})
		if (err == nil) != taken {
			t.Errorf("an event of %d bytes: %v", length, err)
		}
	}
}
