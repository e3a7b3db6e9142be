package operator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-logr/logr"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlbuilder "sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
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
	// Seeds asks seeds.
	Seeds Seeds
	// Logger gets what somebody may act on. Nil discards.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Concurrency == 0 {
		c.Concurrency = 8
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
	if err := errors.Join(manager.AddHealthzCheck("ping", healthz.Ping), manager.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return err
	}
	reconciler := &Reconciler{
		Client:   manager.GetClient(),
		Reader:   manager.GetAPIReader(),
		Seeds:    config.Seeds,
		Events:   manager.GetEventRecorder("peerexchange-operator"),
		Settings: config.Settings,
		Now:      time.Now,
	}
	if err := watch(manager, reconciler, config.Concurrency); err != nil {
		return err
	}
	return manager.Start(ctx)
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
func watch(manager ctrl.Manager, reconciler reconcile.Reconciler, concurrency int) error {
	return ctrl.NewControllerManagedBy(manager).
		Named("peernetwork").
		// The name is one of metrics, and a test runs one operator after the other.
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: ptr.To(true)}).
		For(&v1.PeerNetwork{}, ctrlbuilder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&appsv1.StatefulSet{}).
		Owns(&networkingv1.NetworkPolicy{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(networkOf)).
		Complete(reconciler)
}

// networkOf is the network of a pod, which a StatefulSet owns.
func networkOf(_ context.Context, object client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetLabels()[resources.NetworkLabel]}}}
}
