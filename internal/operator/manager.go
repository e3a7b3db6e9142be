package operator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlbuilder "sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlmanager "sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/lookout"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// A reconcile that fails is tried again after retryLeast, and then after twice as long
// each time, up to retryMost.
const (
	retryLeast = 200 * time.Millisecond
	retryMost  = time.Minute
)

// Config configures an operator. Its fields are the flags of the operator command.
type Config struct {
	// Settings are the same for all networks.
	Settings resources.Settings
	// Namespaces are those whose PeerNetworks are seen to; none is all.
	Namespaces []string
	// MetricsListen and HealthListen are addresses to listen on, such as ":8080";
	// empty is off.
	MetricsListen, HealthListen string
	// LeaderElection has one operator of several work.
	LeaderElection bool
	// Concurrency is how many networks are reconciled at a time. Default 8.
	Concurrency int
	// Seeds asks seeds. [probe.Prober] does.
	Seeds lookout.Seeds
	// Registry gets the operator's metrics. Nil is the one that is served at
	// MetricsListen, which all of a process is in: operators that run beside each other
	// in one process have a registry each.
	Registry prometheus.Registerer
	// Logger gets what somebody may act on. Nil discards.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Concurrency == 0 {
		c.Concurrency = 8
	}
	if c.Registry == nil {
		c.Registry = metrics.Registry
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Settings.Image == "":
		return errors.New("--seed-image is missing: the image that seeds run, unless a PeerNetwork names another")
	case c.Settings.ClusterDomain == "":
		return errors.New("--cluster-domain is empty; it is cluster.local in most clusters")
	case c.Settings.Namespace == "":
		return errors.New("--namespace is missing: the namespace that the operator runs in")
	case c.Concurrency < 0:
		return fmt.Errorf("--concurrency: %d is no number of networks", c.Concurrency)
	}
	return nil
}

// Run sees to PeerNetworks until ctx ends.
func Run(ctx context.Context, api *rest.Config, config Config) error {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return err
	}
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1.AddToScheme} {
		if err := add(known); err != nil {
			return fmt.Errorf("register types: %w", err)
		}
	}
	cached, err := cacheOptions(config.Namespaces)
	if err != nil {
		return err
	}
	api = rest.CopyConfig(api)
	api.QPS = -1 // the API server has its own ways to bound what it is asked (priority and fairness)
	manager, err := ctrl.NewManager(api, ctrl.Options{
		Scheme: known,
		Cache:  cached,
		// To watch Secrets is to read all of them. They are read one by one, by name.
		Client:                        client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
		Logger:                        logr.FromSlogHandler(config.Logger.Handler()),
		Metrics:                       metricsserver.Options{BindAddress: offIfEmpty(config.MetricsListen)},
		HealthProbeBindAddress:        offIfEmpty(config.HealthListen),
		LeaderElection:                config.LeaderElection,
		LeaderElectionID:              "operator.peerexchange.dev",
		LeaderElectionNamespace:       config.Settings.Namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if err := warm(ctx, manager.GetCache()); err != nil {
		return err
	}
	if err := errors.Join(manager.AddHealthzCheck("ping", healthz.Ping), manager.AddReadyzCheck("caches", synced(manager.GetCache()))); err != nil {
		return err
	}
	news, counts := make(newsChannel), make(newsChannel)
	counted := NewMetrics()
	if err := config.Registry.Register(counted); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	defer config.Registry.Unregister(counted)
	looks := lookout.New(lookout.Config{
		Seeds:   config.Seeds,
		Asked:   counted.asked,
		Tried:   counted.tried,
		Changed: news.tell,
		Counted: counts.tell,
	})
	defer looks.Close()
	if err := manager.Add(ctrlmanager.RunnableFunc(looks.Run)); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	reconciler := &Reconciler{
		Client:   manager.GetClient(),
		Reader:   manager.GetAPIReader(),
		Seeds:    looks,
		Events:   manager.GetEventRecorder("peerexchange-operator"),
		Settings: config.Settings,
		Metrics:  counted,
		Now:      time.Now,
	}
	if err := watch(manager, reconciler, news, counts, config.Concurrency); err != nil {
		return err
	}
	return manager.Start(ctx)
}

// countAgain is how late a status may be with numbers of peers that nothing depends on,
// and how often it is written for them at most.
const countAgain = time.Minute

// newsChannel has networks of which there is news.
type newsChannel chan event.TypedGenericEvent[types.NamespacedName]

func (c newsChannel) tell(ctx context.Context, network types.NamespacedName) {
	select {
	case c <- event.TypedGenericEvent[types.NamespacedName]{Object: network}:
	case <-ctx.Done():
	}
}

// offIfEmpty is an address as controller-runtime takes it.
func offIfEmpty(address string) string {
	if address == "" {
		return "0"
	}
	return address
}

// cacheOptions keep what is not of a PeerNetwork out of memory.
func cacheOptions(namespaces []string) (cache.Options, error) {
	labeled, err := labels.NewRequirement(resources.NetworkLabel, selection.Exists, nil)
	if err != nil {
		return cache.Options{}, err
	}
	ours := cache.ByObject{Label: labels.NewSelector().Add(*labeled)}
	options := cache.Options{ByObject: map[client.Object]cache.ByObject{
		&corev1.Pod{}:                   ours,
		&corev1.Service{}:               ours,
		&corev1.ServiceAccount{}:        ours,
		&corev1.ConfigMap{}:             ours,
		&appsv1.StatefulSet{}:           ours,
		&networkingv1.NetworkPolicy{}:   ours,
		&policyv1.PodDisruptionBudget{}: ours,
	}}
	if len(namespaces) > 0 {
		options.DefaultNamespaces = make(map[string]cache.Config)
		for _, namespace := range namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options, nil
}

// watch has networks be reconciled when they or what is of them changes. A status of
// ours is no change.
func watch(manager ctrl.Manager, reconciler reconcile.Reconciler, news, counts newsChannel, concurrency int) error {
	everyNetwork := func(ctx context.Context, _ client.Object) []reconcile.Request {
		var networks v1.PeerNetworkList
		if err := manager.GetClient().List(ctx, &networks); err != nil {
			return nil // it is of the cache, which is there
		}
		var all []reconcile.Request
		for _, n := range networks.Items {
			all = append(all, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&n)})
		}
		return all
	}
	after := func(delay time.Duration) handler.TypedFuncs[types.NamespacedName, reconcile.Request] {
		return handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
			GenericFunc: func(_ context.Context, e event.TypedGenericEvent[types.NamespacedName], queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
				queue.AddAfter(reconcile.Request{NamespacedName: e.Object}, delay)
			},
		}
	}
	networks := ctrl.NewControllerManagedBy(manager).
		Named("peernetwork").
		// The name is one of metrics, and a test runs operators beside and after each other.
		WithOptions(controller.Options{
			MaxConcurrentReconciles: concurrency,
			SkipNameValidation:      ptr.To(true),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryLeast, retryMost),
		}).
		For(&v1.PeerNetwork{}, ctrlbuilder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&appsv1.StatefulSet{}).
		Owns(&networkingv1.NetworkPolicy{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(networkOf)).
		Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(everyNetwork), ctrlbuilder.WithPredicates(predicate.Funcs{UpdateFunc: nodeMoved})).
		WatchesRawSource(source.Channel(news, after(0))).
		WatchesRawSource(source.Channel(counts, after(countAgain))) // what is to come sooner stays so
	switch tells, err := tellsServiceRanges(manager.GetRESTMapper()); {
	case err != nil:
		return err
	case tells:
		networks.Watches(&networkingv1.ServiceCIDR{}, handler.EnqueueRequestsFromMapFunc(everyNetwork), ctrlbuilder.WithPredicates(predicate.Funcs{UpdateFunc: rangesChanged}))
	}
	return networks.Complete(reconciler)
}

// tellsServiceRanges tells whether the cluster has ServiceCIDRs, as it has since
// Kubernetes 1.33: what is not there cannot be watched. Of a cluster that gets them while
// the operator runs it reads them whenever it looks at a network.
func tellsServiceRanges(kinds meta.RESTMapper) (bool, error) {
	_, err := kinds.RESTMapping(networkingv1.SchemeGroupVersion.WithKind("ServiceCIDR").GroupKind(), networkingv1.SchemeGroupVersion.Version)
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find ServiceCIDRs: %w", err)
	}
	return true, nil
}

// rangesChanged tells whether a ServiceCIDR has other ranges. It has no generation.
func rangesChanged(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*networkingv1.ServiceCIDR)
	now, okNow := e.ObjectNew.(*networkingv1.ServiceCIDR)
	return ok && okNow && !slices.Equal(before.Spec.CIDRs, now.Spec.CIDRs)
}

// nodeMoved tells whether a node is found at other addresses, or has other pods'.
func nodeMoved(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*corev1.Node)
	now, okNow := e.ObjectNew.(*corev1.Node)
	return ok && okNow && !(slices.Equal(before.Status.Addresses, now.Status.Addresses) && slices.Equal(before.Spec.PodCIDRs, now.Spec.PodCIDRs))
}

// watched is everything that is read from the cache and is in every cluster.
var watched = []client.Object{
	&v1.PeerNetwork{}, &corev1.Pod{}, &corev1.Node{}, &corev1.Service{}, &corev1.ServiceAccount{}, &corev1.ConfigMap{},
	&appsv1.StatefulSet{}, &networkingv1.NetworkPolicy{}, &policyv1.PodDisruptionBudget{},
}

// warm has the cache fill before the operator leads, so that it can begin at once when
// it does.
func warm(ctx context.Context, c cache.Cache) error {
	for _, object := range watched {
		if _, err := c.GetInformer(ctx, object, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("watch %T: %w", object, err)
		}
	}
	return nil
}

// synced is ready once the cache has everything, whether the operator leads or not.
func synced(c cache.Cache) healthz.Checker {
	return func(request *http.Request) error {
		ctx, cancel := context.WithTimeout(request.Context(), time.Second)
		defer cancel()
		if !c.WaitForCacheSync(ctx) {
			return errors.New("the cache is not filled yet")
		}
		return nil
	}
}

// networkOf is the network of a pod, which a StatefulSet owns.
func networkOf(_ context.Context, object client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetLabels()[resources.NetworkLabel]}}}
}
