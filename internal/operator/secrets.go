package operator

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
	"github.com/peerexchange/peerexchange/internal/operator/rotation"
)

// historyKey is where a Secret keeps what [rotation.Secrets] remember.
const historyKey = "history.json"

// meshSchedule is that of the secret by which seeds know each other: nothing that is
// made of it outlasts a handshake.
var meshSchedule = rotation.Schedule{Every: 90 * 24 * time.Hour, Good: time.Minute}

// secrets sees to the key of the bootstrap document and the secrets that seeds share.
func (r *Reconciler) secrets(ctx context.Context, state *run) error {
	n := state.network
	if err := state.goOn(r.signingKey(ctx, state)); err != nil {
		return err
	}
	if err := state.goOn(r.rotate(ctx, state, resources.MeshSecretName(n), meshSchedule)); err != nil {
		return err
	}
	if !resources.HasTURN(n) {
		return nil
	}
	return r.rotate(ctx, state, resources.TURNSecretName(n), rotation.Schedule{
		Every: time.Duration(n.Spec.TURN.SecretRotationSeconds) * time.Second,
		Good:  time.Duration(n.Spec.TURN.CredentialTTLSeconds) * time.Second,
	})
}

func (r *Reconciler) rotate(ctx context.Context, state *run, name string, schedule rotation.Schedule) error {
	kept, err := r.ownSecret(ctx, state.network, name)
	if err != nil {
		return err
	}
	before, err := rotation.Read(kept[historyKey])
	if err != nil {
		return problemf(v1.ReasonInvalidSpec, "the Secret %s is not as the operator wrote it (%v): put it back, or delete it for a new one", name, err)
	}
	secrets, again := before.Rotate(schedule, state.now)
	state.sooner(again)
	return r.apply(ctx, state.network, resources.Secret(state.network, name, map[string][]byte{
		historyKey:            secrets.Encode(),
		resources.SecretsFile: secrets.File(state.now),
	}))
}

// ownSecret is the data of a Secret that the operator made, nil if it is not there. It
// is not read from a cache that may be behind: what is lost because of that would be
// made again, and in use already. See [memory] for what stands in for it.
func (r *Reconciler) ownSecret(ctx context.Context, n *v1.PeerNetwork, name string) (map[string][]byte, error) {
	secret, err := r.readSecret(ctx, n, name)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the Secret %s: %w", name, err)
	}
	return secret.Data, nil
}
