package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// fieldOwner is who the fields belong to that the operator applies.
const fieldOwner = client.FieldOwner("peerexchange-operator")

// lookAgain is how long a network is left alone that nobody changes: its seeds' peers
// are counted and its addresses reached again after it.
const lookAgain = 30 * time.Second

// Seeds asks the seeds themselves. [probe.Prober] does.
type Seeds interface {
	// Status asks a pod's private port.
	Status(ctx context.Context, pod *corev1.Pod) (probe.Report, error)
	// Reach connects to a seed as clients do.
	Reach(ctx context.Context, target probe.Target) (v1.SeedReason, string)
}

// Reconciler makes one PeerNetwork what it says.
type Reconciler struct {
	// Client reads from a cache that has what is labeled with
	// [resources.NetworkLabel], and nodes, and Secrets from the API server.
	Client client.Client
	// Reader reads from the API server.
	Reader client.Reader
	// Seeds asks seeds, and Events is told what a person may want to know.
	Seeds    Seeds
	Events   events.EventRecorder
	Settings resources.Settings
	// Now tells the time.
	Now func() time.Time
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

	// Of publish.
	document plan.Document
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
	if err := r.Client.Get(ctx, request.NamespacedName, network); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !network.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil // everything has an owner reference, and goes by itself
	}
	now := r.Now()
	state := &run{network: network, now: now, again: now.Add(lookAgain)}
	failed := r.runPhases(ctx, state)
	if err := r.writeStatus(ctx, state, failed); err != nil {
		return reconcile.Result{}, errors.Join(failed, err)
	}
	var found *problem
	switch {
	case errors.As(failed, &found):
		// What it waits for is looked at again in time, and a change of the spec at once.
		log.FromContext(ctx).Info("cannot be done", "reason", found.Reason, "message", found.Message)
	case failed != nil:
		return reconcile.Result{}, failed
	}
	return reconcile.Result{RequeueAfter: max(state.again.Sub(now), time.Second)}, nil
}

func (r *Reconciler) runPhases(ctx context.Context, state *run) error {
	for _, phase := range phases {
		if err := phase.run(r, ctx, state); err != nil {
			if apierrors.IsConflict(err) {
				return err // somebody was faster; it is tried again
			}
			return fmt.Errorf("%s: %w", phase.name, err)
		}
	}
	return nil
}

// problem is what a person has to change. To try again does not help.
type problem struct{ plan.Finding }

func (p *problem) Error() string { return p.Reason + ": " + p.Message }

func problemf(reason, format string, args ...any) error {
	return &problem{plan.Finding{Reason: reason, Message: fmt.Sprintf(format, args...)}}
}
