package operator

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// validate sees that what the spec names is there. What can be seen in the spec
// itself, the API server has, but for what its rules cannot compute.
func (r *Reconciler) validate(ctx context.Context, state *run) error {
	if err := checkLimits(&state.network.Spec.Limits); err != nil {
		return err
	}
	access := state.network.Spec.Access
	for _, named := range []struct {
		field string
		key   *v1.SecretKey
	}{
		{"access.tokens", access.Tokens}, {"access.jwtSecret", access.JWTSecret}, {"access.jwks", access.JWKS},
	} {
		if named.key == nil {
			continue
		}
		secret, err := r.userSecret(ctx, state.network, named.key.SecretName, "spec."+named.field)
		if err != nil {
			return err
		}
		if len(secret.Data[named.key.Key]) == 0 {
			return problemf(v1.ReasonSecretMissing, "the Secret %s, which spec.%s names, has nothing under the key %s: add it", named.key.SecretName, named.field, named.key.Key)
		}
	}
	return nil
}

// checkLimits sees that seeds, which would not start otherwise, take the limits: their
// sizes and times are texts of which rules see the form only.
func checkLimits(l *v1.Limits) error {
	var limits exchange.Limits
	known := exchange.LimitNames()
	for _, given := range resources.Limits(l) {
		name, value, _ := strings.Cut(given, "=")
		if !slices.Contains(known, name) {
			continue // one of the seed's own, of which rules see all
		}
		if err := limits.Set(name, value); err != nil {
			return problemf(v1.ReasonInvalidSpec, "spec.limits: %v", err)
		}
	}
	return nil
}

// userSecret reads a Secret that a spec names in a field.
func (r *Reconciler) userSecret(ctx context.Context, n *v1.PeerNetwork, name, field string) (*corev1.Secret, error) {
	secret, err := r.readSecret(ctx, n, name)
	if apierrors.IsNotFound(err) {
		return nil, problemf(v1.ReasonSecretMissing, "the Secret %s, which %s names, is not in the namespace %s: make it, or correct the name", name, field, n.Namespace)
	}
	return secret, err
}
