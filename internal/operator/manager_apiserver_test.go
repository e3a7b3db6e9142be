//go:build apiserver

package operator

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
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

// addresses are the published ones, and which object has them; none if that is not there.
func (w *world) addresses() ([]string, types.UID) {
	w.Helper()
	config := &corev1.ConfigMap{}
	w.must(client.IgnoreNotFound(w.client.Get(w.Context(), client.ObjectKey{Namespace: w.network.Namespace, Name: "demo-bootstrap"}, config)))
	return strings.Fields(config.Data["addresses"]), config.UID
}

// An operator makes networks, publishes what happens to their seeds, puts back what is
// taken away, goes on with what it finds after a restart, and lets a broken network harm
// no other.
func TestAPIServerRun(t *testing.T) {
	w := newWorld(t, *onHostPorts.DeepCopy())
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

	publishes := func(host string) bool {
		addresses, _ := w.addresses()
		return len(addresses) > 0 && !slices.ContainsFunc(addresses, func(address string) bool {
			return !strings.HasPrefix(address, "wss://"+host+":") && !strings.HasPrefix(address, "tls://"+host+":")
		})
	}
	pod := w.pod("demo-seed-0", w.node("203.0.113.21"))
	t.Cleanup(func() { w.gone(pod) })
	w.until("a seed that is ready is published", func() bool { return publishes("203.0.113.21") })
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: pod.Spec.NodeName}}
	w.get(node)
	node.Status.Addresses[0].Address = "203.0.113.22"
	w.must(w.client.Status().Update(t.Context(), node))
	w.until("a seed whose node has another address is published at that alone", func() bool { return publishes("203.0.113.22") })
	before, uid := w.addresses()
	w.must(w.client.Delete(t.Context(), named[corev1.ConfigMap](w, "demo-bootstrap")))
	w.until("the document is made again", func() bool {
		now, again := w.addresses()
		return again != "" && again != uid && slices.Equal(now, before)
	})
	ranges := &networkingv1.ServiceCIDR{ObjectMeta: metav1.ObjectMeta{GenerateName: "more-"}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{"192.0.2.0/24"}}}
	denied := func() bool {
		return slices.Contains(w.set().Spec.Template.Spec.Containers[0].Args, "--turn-deny-peer="+ranges.Spec.CIDRs[0])
	}
	w.must(w.client.Create(t.Context(), ranges))
	t.Cleanup(func() { // for other tests, if this one fails in the middle
		w.must(client.IgnoreNotFound(w.client.Delete(context.WithoutCancel(t.Context()), ranges)))
	})
	w.until("another range of Services is denied to TURN clients", denied)
	w.must(w.client.Delete(t.Context(), ranges))
	w.until("a range that is none any more is not", func() bool { return !denied() })
	w.get(pod)
	w.unready(pod)
	w.until("a seed that is not ready any more is withdrawn", func() bool { now, there := w.addresses(); return there != "" && len(now) == 0 })
	stop()

	w.get(w.network)
	w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 4 })
	w.start()
	w.until("the change is seen after a restart", func() bool { return *w.set().Spec.Replicas == 4 })
	w.until("the status is of it", func() bool { w.get(w.network); return w.network.Status.DesiredReplicas == 4 })
}
