//go:build apiserver

package operator

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// manyNetworks is how many one operator sees to at least.
const manyNetworks = 500

// requests counts those that an operator makes of the API server, but watches.
type requests struct {
	mu sync.Mutex
	// Guarded by mu.
	reads, writes int
	examples      []string // of writes, the first ones
	meshes        map[string]bool
	elections     int // for the lease, and events of it
}

// maxExamples is how many writes are remembered.
const maxExamples = 20

// of is a configuration whose requests are counted.
func (r *requests) of(api *rest.Config) *rest.Config {
	api = rest.CopyConfig(api)
	api.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			r.count(request)
			return next.RoundTrip(request)
		})
	})
	return api
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

func (r *requests) count(request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := request.URL.Path
	switch {
	case request.URL.Query().Get("watch") != "":
	case strings.Contains(path, "/namespaces/"+leaseNamespace+"/"):
		r.elections++
	case request.Method == http.MethodGet:
		r.reads++
		if strings.HasSuffix(path, "-mesh") {
			r.meshes[path] = true
		}
	default:
		if r.writes++; len(r.examples) < maxExamples {
			r.examples = append(r.examples, request.Method+" "+path)
		}
	}
}

// reset starts again, and returns what was counted.
func (r *requests) reset() (reads, writes int, examples []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reads, writes, examples = r.reads, r.writes, r.examples
	r.reads, r.writes, r.examples, r.meshes, r.elections = 0, 0, nil, make(map[string]bool), 0
	return reads, writes, examples
}

func (r *requests) networks() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.meshes)
}

func (r *requests) elected() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.elections
}

// gauge sums the values of a metric of controller-runtime that are of this controller,
// and of that label if it is not empty.
func (w *world) gauge(name, label string) (sum float64) {
	w.Helper()
	families, err := metrics.Registry.Gather()
	w.must(err)
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			if labels := fmt.Sprint(m.GetLabel()); strings.Contains(labels, `"peernetwork"`) && strings.Contains(labels, label) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// idler returns what tells whether nothing waits for the operator that is started next.
// All operators of this process share these metrics, and one that ends may leave
// something in them.
func (w *world) idler() (idle func() bool) {
	waiting := func() float64 { return w.gauge("workqueue_depth", "") }
	working := func() float64 { return w.gauge("controller_runtime_active_workers", "") }
	left, leftAtWork := waiting(), working()
	return func() bool { return waiting() == left && working() == leftAtWork }
}

// An operator that starts in a cluster with many networks writes nothing if nothing
// changed, and reads nothing of networks that stay as they are.
func TestAPIServerManyNetworks(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{})
	var creating errgroup.Group
	creating.SetLimit(8)
	for i := range manyNetworks - 1 {
		creating.Go(func() error {
			name := fmt.Sprintf("many-%d", i)
			return w.client.Create(t.Context(), &v1.PeerNetwork{
				ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.network.Namespace}, Spec: v1.PeerNetworkSpec{NetworkID: name},
			})
		})
	}
	w.must(creating.Wait())

	count := &requests{}
	count.reset()
	reconciles := func() float64 { return w.gauge("controller_runtime_reconcile_total", "") }
	made := func() int {
		var networks v1.PeerNetworkList
		w.must(w.client.List(t.Context(), &networks, client.InNamespace(w.network.Namespace)))
		done := 0
		for _, n := range networks.Items {
			if n.Status.Bootstrap != nil {
				done++
			}
		}
		return done
	}
	alone := func(c *Config) { c.LeaderElection = false }
	idle := w.idler()
	start := time.Now()
	stop := w.startAs(count.of(asOperator), alone)
	w.until("all networks are made", func() bool { return idle() && made() == manyNetworks })
	reads, writes, _ := count.reset()
	t.Logf("%d networks were made in %v, with %d reads and %d writes", manyNetworks, time.Since(start).Round(time.Millisecond), reads, writes)
	stop()
	count.reset()

	before := reconciles()
	idle = w.idler()
	start = time.Now()
	w.startAs(count.of(asOperator), alone)
	w.until("all networks are reconciled", func() bool {
		return count.networks() == manyNetworks && reconciles()-before >= manyNetworks && idle()
	})
	took := time.Since(start)
	reads, writes, examples := count.reset()
	t.Logf("after a restart they were reconciled in %v, with %d reads and %d writes", took.Round(time.Millisecond), reads, writes)
	if writes != 0 {
		t.Errorf("nothing changed, and there were %d writes, such as %q", writes, examples)
	}

	// A node that comes has all networks be looked at; this one changes nothing for them.
	before = reconciles()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{GenerateName: "idle-"}}
	w.must(w.client.Create(t.Context(), node))
	w.Cleanup(func() { w.must(w.client.Delete(context.WithoutCancel(w.Context()), node)) })
	start = time.Now()
	w.until("all networks are reconciled again", func() bool { return reconciles()-before >= manyNetworks && idle() })
	took = time.Since(start)
	reads, writes, examples = count.reset()
	t.Logf("idle, they were reconciled in %v, with %d reads and %d writes", took.Round(time.Millisecond), reads, writes)
	if reads+writes != 0 {
		t.Errorf("networks that stay as they are cost %d reads and %d writes, such as %q", reads, writes, examples)
	}
}
