package operator

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/lookout"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// fieldOwner is who the fields belong to that the operator applies.
const fieldOwner = client.FieldOwner("peerexchange-operator")

// How long a network is left alone that nothing happens to. What is watched, and news of
// its seeds, has it be looked at before.
const (
	lookAgain     = readAgain
	lookAgainSoon = 30 * time.Second // while it is not as it is to be
)

// failTime is for how long reconciles fail before the status says so: an API server
// that is restarted is no news of a network.
const failTime = 30 * time.Second

// Sights is what is known of seeds. [lookout.Lookout] finds it out.
type Sights interface {
	// Report is what the seed in a pod said of itself last: nil if it did not answer.
	// Until it was asked, known is false.
	Report(network types.NamespacedName, pod *corev1.Pod) (report *probe.Report, known bool)
	// Look has these seeds of a network be looked at, and no others, and tells how it was
	// to reach each of them.
	Look(network types.NamespacedName, seeds []lookout.Seed) []probe.Sighting
}

// Reconciler makes one PeerNetwork what it says.
type Reconciler struct {
	// Client reads from a cache that has what is labeled with
	// [resources.NetworkLabel], and nodes, and Secrets from the API server.
	Client client.Client
	// Reader reads from the API server.
	Reader client.Reader
	// Seeds is what is known of seeds, and Events is told what a person may want to know.
	Seeds    Sights
	Events   events.EventRecorder
	Settings resources.Settings
	// Metrics are told what is done and found. Nil is nobody.
	Metrics *Metrics
	// Now tells the time.
	Now func() time.Time

	memory memory
}

// phases are those of a reconcile, in their order.
var phases = []struct {
	name string
	run  func(*Reconciler, context.Context, *run) error
}{
	{"validate", (*Reconciler).validate},
	{"observe", (*Reconciler).observe},
	{"scale", (*Reconciler).scale},
	{"secrets", (*Reconciler).secrets},
	{"certificate", (*Reconciler).certificate},
	{"seeds", (*Reconciler).seeds},
	{"reach", (*Reconciler).reach},
	{"publish", (*Reconciler).publish},
}

// run is one reconcile.
type run struct {
	network *v1.PeerNetwork
	now     time.Time
	again   time.Time // when to look again
	problem *problem  // the first that was found; nil is none

	// events are told when the phases are over, and afterStatus is done when the status
	// is written that they led to.
	events, afterStatus []func()

	// Of observe.
	seeds    []seed
	nodes    []corev1.Node
	services map[string]*corev1.Service
	set      observedSet

	// Of scale.
	desired    int32 // seeds that there are to be
	replicas   int32 // of the StatefulSet, on the way there
	fewerSince *time.Time

	// Of certificate.
	authorities      []byte
	certificate      plan.Finding
	certificateReady bool
	certificateEnds  time.Time // zero is not known
	certificateHash  string    // empty is that there is none

	// Of secrets; nil if it cannot be read.
	signingKey ed25519.PrivateKey

	// Of seeds: whether they are as the spec says, as far as that is for the operator.
	applied bool

	// Of seeds, and then of publish.
	published []byte // the bootstrap document that is out, nil if none is
	sequence  int64  // its number
}

// sooner has the network be looked at no later than at that time; zero is none.
func (r *run) sooner(at time.Time) {
	if !at.IsZero() && at.Before(r.again) {
		r.again = at
	}
}

// Reconcile implements [reconcile.Reconciler].
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	network := &v1.PeerNetwork{}
	err := r.Client.Get(ctx, request.NamespacedName, network)
	if apierrors.IsNotFound(err) || err == nil && !network.DeletionTimestamp.IsZero() {
		r.forget(request.NamespacedName)
		return reconcile.Result{}, nil // everything has an owner reference, and goes by itself
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	r.memory.begin(request.NamespacedName, network.Generation)
	state, failed := r.runPhases(ctx, network)
	if errors.Is(failed, errReadAgain) {
		r.memory.begin(request.NamespacedName, network.Generation) // this time without trust
		state, failed = r.runPhases(ctx, network)
	}
	if apierrors.HasStatusCause(failed, corev1.NamespaceTerminatingCause) {
		return reconcile.Result{}, nil // the network is about to go too
	}
	for _, tell := range state.events {
		tell()
	}
	failing := r.memory.failing(request.NamespacedName, failed != nil, state.now)
	if failed != nil && failing < failTime {
		return reconcile.Result{}, failed
	}
	before := network.Status.Bootstrap
	if err := r.writeStatus(ctx, state, failed); err != nil {
		return reconcile.Result{}, errors.Join(failed, err)
	}
	if failed == nil {
		for _, do := range state.afterStatus {
			do()
		}
	}
	if now := network.Status.Bootstrap; now != nil && (before == nil || before.Sequence != now.Sequence) {
		r.Metrics.change(func() { r.Metrics.published++ })
	}
	r.Metrics.saw(request.NamespacedName, found{status: network.Status, certificate: state.certificateEnds})
	switch {
	case failed != nil:
		return reconcile.Result{}, failed
	case state.problem != nil:
		// What it waits for is looked at again in time, and a change of the spec at once.
		log.FromContext(ctx).Info("cannot be done", "reason", state.problem.Reason, "message", state.problem.Message)
	}
	good := state.problem == nil && state.certificateReady
	r.memory.end(request.NamespacedName, good)
	if !good || !settled(network) {
		state.sooner(state.now.Add(lookAgainSoon))
	}
	return reconcile.Result{RequeueAfter: max(state.again.Sub(state.now), time.Second)}, nil
}

// settled tells whether the status is one that stays until something happens.
func settled(n *v1.PeerNetwork) bool {
	progressing := meta.FindStatusCondition(n.Status.Conditions, v1.ConditionProgressing)
	return progressing != nil && progressing.Reason == v1.ReasonComplete
}

// forget is for a network that has gone, or is about to.
func (r *Reconciler) forget(network types.NamespacedName) {
	r.Seeds.Look(network, nil)
	r.memory.forget(network)
	r.Metrics.forget(network)
}

func (r *Reconciler) runPhases(ctx context.Context, network *v1.PeerNetwork) (*run, error) {
	now := r.Now()
	state := &run{network: network, now: now, again: now.Add(lookAgain)}
	for _, phase := range phases {
		if err := state.goOn(phase.run(r, ctx, state)); err != nil {
			return state, fmt.Errorf("%s: %w", phase.name, err)
		}
	}
	return state, nil
}

// goOn notes an error that is a problem, and returns any other. What does not depend on
// what a person has to change goes on: of seeds that run, one that fails or drains is
// withdrawn, and certificate and secrets are renewed, whatever is wrong with the spec.
func (r *run) goOn(err error) error {
	var found *problem
	if !errors.As(err, &found) {
		return err
	}
	if r.problem == nil {
		r.problem = found
	}
	return nil
}

// problem is what a person has to change. To try again does not help.
type problem struct{ plan.Finding }

func (p *problem) Error() string { return p.Reason + ": " + p.Message }

func problemf(reason, format string, args ...any) error {
	return &problem{plan.Finding{Reason: reason, Message: fmt.Sprintf(format, args...)}}
}
