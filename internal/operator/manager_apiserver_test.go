//go:build apiserver

package operator

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// leaseNamespace is where operators have their lease: the namespace of their Role.
const leaseNamespace = "system"

// start runs an operator for the namespace of w until the function is called.
func (w *world) start() (stop func()) { return w.startAs(asOperator, func(*Config) {}) }

func (w *world) startAs(api *rest.Config, change func(*Config)) (stop func()) {
	w.Helper()
	end := w.startEnding(api, change)
	stop = sync.OnceFunc(func() {
		if err := end(); err != nil {
			w.Error(err)
		}
	})
	w.Cleanup(stop)
	return stop
}

// startEnding is for an operator that may end with an error, which end returns. Whoever
// starts it ends it.
func (w *world) startEnding(api *rest.Config, change func(*Config)) (end func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	config := Config{
		Settings: w.reconciler.Settings, LeaderElection: true, Namespaces: []string{w.network.Namespace}, Seeds: w,
		Registry: prometheus.NewRegistry(), // there may be another operator beside it
	}
	config.Settings.Namespace = leaseNamespace
	change(&config)
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, api, config) }()
	return sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
}

// until waits until the condition is there, for as long as the test may take.
func (w *world) until(what string, condition func() bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 5*time.Minute)
	defer cancel()
	if wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(context.Context) (bool, error) { return condition(), nil }) != nil {
		w.Fatalf("not seen: %s", what)
	}
}

// An operator makes networks, puts back what is taken away, goes on with what it finds
// after a restart, and lets a broken network harm no other.
func TestAPIServerRun(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{})
	broken := &v1.PeerNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "broken", Namespace: w.network.Namespace},
		Spec:       v1.PeerNetworkSpec{NetworkID: "broken", Access: v1.Access{JWKS: &v1.SecretKey{SecretName: "none", Key: "none"}}},
	}
	w.must(w.client.Create(t.Context(), broken))
	reason := func(n *v1.PeerNetwork) string {
		w.get(n)
		if c := meta.FindStatusCondition(n.Status.Conditions, v1.ConditionProgressing); c != nil {
			return c.Reason
		}
		return ""
	}
	stop := w.start()
	w.until("a network is made", func() bool { return reason(w.network) == v1.ReasonCreating })
	w.until("a network is broken", func() bool { return reason(broken) == v1.ReasonSecretMissing })

	set := w.set()
	w.must(w.client.Delete(t.Context(), set))
	w.until("the StatefulSet is made again", func() bool {
		again := &appsv1.StatefulSet{}
		return w.client.Get(t.Context(), client.ObjectKeyFromObject(set), again) == nil && again.UID != set.UID
	})
	stop()

	w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 4 })
	w.start()
	w.until("the change is seen after a restart", func() bool { return *w.set().Spec.Replicas == 4 })
	w.until("the status is of it", func() bool { w.get(w.network); return w.network.Status.DesiredReplicas == 4 })
}
