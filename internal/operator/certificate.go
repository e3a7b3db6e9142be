package operator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/authority"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// authorityKeysKey is where the Secret of the operator's own authorities has their
// keys.
const authorityKeysKey = "ca.key"

// certificate sees to the certificate of the seeds. Without one nothing fails: pods
// wait for it, and seeds go on with the one that they have. While a problem keeps it from
// being renewed, they are reached by the authorities that stand beside it.
func (r *Reconciler) certificate(ctx context.Context, state *run) error {
	if err := state.goOn(r.renewCertificate(ctx, state)); err != nil || state.certificate.Reason != "" {
		return err
	}
	kept, err := r.ownSecret(ctx, state.network, resources.CertificateSecretName(state.network))
	state.authorities = kept[resources.AuthorityKey]
	return err
}

// renewCertificate finds something of the certificate, unless there is a problem.
func (r *Reconciler) renewCertificate(ctx context.Context, state *run) error {
	tls := state.network.Spec.TLS
	if tls.Issuer != nil {
		return r.issuedCertificate(ctx, state)
	}
	if err := r.askNoMore(ctx, state.network); err != nil {
		return err
	}
	if tls.SecretName != "" {
		return r.providedCertificate(ctx, state)
	}
	return r.ownCertificate(ctx, state)
}

// hosts are those that the certificate has to be good for.
func (r *Reconciler) hosts(state *run) []string {
	var endpoints []plan.Endpoints
	for _, s := range state.seeds {
		endpoints = append(endpoints, s.endpoints)
	}
	return plan.CertificateHosts(state.network, r.Settings, max(state.desired, state.replicas), endpoints)
}

// ownCertificate is of an authority of the operator's own.
func (r *Reconciler) ownCertificate(ctx context.Context, state *run) error {
	n := state.network
	kept, err := r.ownSecret(ctx, n, resources.AuthorityName(n))
	if err != nil {
		return err
	}
	before := authority.Authorities{Certificates: kept[resources.AuthorityKey], Keys: kept[authorityKeysKey]}
	authorities, err := before.Renew(n.Spec.NetworkID, state.now)
	if err != nil {
		return problemf(v1.ReasonInvalidSpec, "the Secret %s is not as the operator wrote it (%v): put it back; a new one, after it is deleted, is trusted by no client that has the old one", resources.AuthorityName(n), err)
	}
	if err := r.apply(ctx, n, resources.Secret(n, resources.AuthorityName(n), map[string][]byte{
		resources.AuthorityKey: authorities.Certificates,
		authorityKeysKey:       authorities.Keys,
	})); err != nil {
		return err
	}
	if err := r.takeOver(ctx, n); err != nil {
		return err
	}
	kept, err = r.ownSecret(ctx, n, resources.CertificateSecretName(n))
	if err != nil {
		return err
	}
	certificate, err := authority.Certificate{Certificate: kept[corev1.TLSCertKey], Key: kept[corev1.TLSPrivateKeyKey]}.
		Renew(authorities, append(r.hosts(state), plan.NodesHosts(n, state.nodes)...), state.now)
	if err != nil {
		return err
	}
	if err := r.apply(ctx, n, resources.CertificateSecret(n, certificate.Certificate, certificate.Key, authorities.Certificates)); err != nil {
		return err
	}
	at, err := authorities.RenewAt()
	state.sooner(at)
	state.sooner(certificate.RenewAt())
	state.authorities = authorities.Certificates
	state.certificateReady = true
	state.certificateEnds = certificate.NotAfter()
	state.certificateHash = shortHash(certificate.Certificate)
	state.certificate = plan.Finding{Reason: v1.ReasonSelfSigned, Message: "by the operator's own authority, to be renewed on " + certificate.RenewAt().UTC().Format(time.DateOnly)}
	return err
}

// providedCertificate is in the Secret that the spec names.
func (r *Reconciler) providedCertificate(ctx context.Context, state *run) error {
	secret, err := r.userSecret(ctx, state.network, state.network.Spec.TLS.SecretName, "spec.tls.secretName")
	var missing *problem
	switch {
	case errors.As(err, &missing):
		state.certificate = missing.Finding
		return nil
	case err != nil:
		return err
	}
	state.certificate, state.certificateReady = r.examine(state, secret, v1.ReasonProvided)
	return nil
}

// examine looks at a certificate that somebody else made.
func (r *Reconciler) examine(state *run, secret *corev1.Secret, good string) (plan.Finding, bool) {
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return plan.Finding{Reason: v1.ReasonSecretInvalid, Message: fmt.Sprintf("the Secret %s has no certificate with its key under tls.crt and tls.key: %v", secret.Name, err)}, false
	}
	leaf := pair.Leaf
	state.certificateEnds = leaf.NotAfter
	state.certificateHash = shortHash(secret.Data[corev1.TLSCertKey])
	if state.now.Before(leaf.NotBefore) || state.now.After(leaf.NotAfter) {
		return plan.Finding{Reason: v1.ReasonCertificateExpired, Message: fmt.Sprintf("the certificate in the Secret %s is good from %s to %s: renew it", secret.Name, leaf.NotBefore.UTC().Format(time.DateOnly), leaf.NotAfter.UTC().Format(time.DateOnly))}, false
	}
	state.sooner(leaf.NotAfter)
	state.authorities = secret.Data[resources.AuthorityKey]
	var missing []string
	for _, s := range state.seeds {
		for _, host := range s.endpoints.Hosts {
			if leaf.VerifyHostname(host) != nil {
				missing = append(missing, host)
			}
		}
	}
	if len(missing) > 0 {
		return plan.Finding{Reason: v1.ReasonNamesMissing, Message: fmt.Sprintf("the certificate in the Secret %s is not good for %s: add them to it", secret.Name, strings.Join(missing, ", "))}, false
	}
	return plan.Finding{Reason: good, Message: "good until " + leaf.NotAfter.UTC().Format(time.DateOnly)}, true
}
