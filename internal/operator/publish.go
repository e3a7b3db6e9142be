package operator

import (
	"bytes"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// firstDocument is there before the first seed, which needs one to start. One that
// somebody deleted is made again when it is known what belongs into it.
func (r *Reconciler) firstDocument(ctx context.Context, state *run) error {
	var config corev1.ConfigMap
	err := r.bootstrapReader(state.network).Get(ctx, types.NamespacedName{Namespace: state.network.Namespace, Name: resources.BootstrapName(state.network)}, &config)
	switch {
	case apierrors.IsNotFound(err) && (state.network.Status.Bootstrap != nil || state.signingKey == nil):
		return nil
	case apierrors.IsNotFound(err):
		_, err = r.publishSeeds(ctx, state, nil)
		return err
	case err != nil:
		return fmt.Errorf("read the bootstrap document: %w", err)
	}
	state.published = []byte(config.Data[resources.BootstrapFile])
	return nil
}

// publish has the document be of the seeds that were reached, and the seeds have it.
// Without the key that signs, what is out stays.
func (r *Reconciler) publish(ctx context.Context, state *run) error {
	if state.signingKey == nil {
		return nil
	}
	before, out := state.published, plan.ReadDocument(state.published)
	var seeds []v1.SeedStatus
	for _, s := range state.seeds {
		seeds = append(seeds, s.status)
	}
	publication, err := r.publishSeeds(ctx, state, seeds)
	if err != nil {
		return err
	}
	if len(publication.Published) > 0 {
		r.event(state, corev1.EventTypeNormal, "Published", "Publish", listed(publication.Published, ", ", noteLimit))
	}
	if len(publication.Withdrawn) > 0 {
		because := withdrawnBecause(state, out, noteLimit/2)
		r.event(state, corev1.EventTypeNormal, "Withdrawn", "Publish", listed(publication.Withdrawn, ", ", noteLimit-len(because))+because)
	}
	if publication.Left != "" && !bytes.Equal(before, state.published) {
		r.event(state, corev1.EventTypeWarning, "Shortened", "Publish", "the bootstrap document would be longer than clients read, and is without "+publication.Left+"; status.seeds has everything")
	}
	r.tellNewKey(state)
	r.refresh(ctx, state)
	return nil
}

// publishSeeds publishes a document of those of the seeds that are reached.
func (r *Reconciler) publishSeeds(ctx context.Context, state *run, seeds []v1.SeedStatus) (plan.Publication, error) {
	n := state.network
	in := plan.Publishing{Network: n.Spec.NetworkID, Seeds: seeds, Key: state.signingKey, Before: state.published}
	if n.Status.Bootstrap != nil {
		in.Sequence = n.Status.Bootstrap.Sequence
	}
	publication, err := plan.Publish(in)
	if err != nil {
		return plan.Publication{}, err
	}
	// Clients get the operator's own authority with the document; others they have.
	var authorities []byte
	if tls := n.Spec.TLS; tls.SecretName == "" && tls.Issuer == nil {
		authorities = state.authorities
	}
	config := resources.BootstrapConfigMap(n, publication.Signed, publication.Document.Addresses(), publicKey(state.signingKey), authorities)
	if err := r.apply(ctx, n, config); err != nil {
		return plan.Publication{}, err
	}
	state.published, state.sequence = publication.Signed, int64(publication.Document.Sequence) //nolint:gosec // ReadDocument bounds it
	return publication, nil
}

// withdrawnBecause tells of the seeds that were published and are not any more, or at
// some of their addresses only, in that many bytes.
func withdrawnBecause(state *run, before exchange.Bootstrap, most int) string {
	var why []string
	for _, old := range before.Seeds {
		for _, s := range state.seeds {
			if s.status.Name == old.Name && (!s.status.Published() || s.status.Reason != v1.SeedReached && !plan.HaveAll(s.status.Addresses, old.Addresses)) {
				why = append(why, s.status.Name+": "+s.status.Message)
			}
		}
	}
	if len(why) == 0 {
		return ""
	}
	return " (" + listed(why, "; ", most-len(" ()")) + ")"
}
