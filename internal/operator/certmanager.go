package operator

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// issuedCertificate is made by cert-manager.
func (r *Reconciler) issuedCertificate(ctx context.Context, state *run) error {
	n := state.network
	live, err := r.readCertificate(ctx, n)
	switch {
	case meta.IsNoMatchError(err):
		state.certificate = plan.Finding{Reason: v1.ReasonCertManagerMissing, Message: "spec.tls.issuer needs cert-manager, which is not installed: install it, or remove spec.tls.issuer"}
		return nil
	case err != nil:
		return fmt.Errorf("read the Certificate: %w", err)
	case live != nil && !metav1.IsControlledBy(live, n):
		return problemf(v1.ReasonInvalidSpec, "the Certificate %s is there and is not of this PeerNetwork: delete it, or make the PeerNetwork under another name", live.GetName())
	}
	asked, err := r.askForCertificate(ctx, state, live)
	if err != nil {
		return err
	}
	if asked {
		live = nil // what is said is of what was asked before
	}
	issued, says := readiness(live)
	issuing := plan.Finding{Reason: v1.ReasonIssuing, Message: "cert-manager has not issued it: " + says + requestsTell}
	secret, err := r.readSecret(ctx, n, resources.CertificateSecretName(n))
	if apierrors.IsNotFound(err) {
		state.certificate = issuing
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	// Until there is a new one, seeds have the one that is there, which may be the
	// operator's own. Its authority stays there when cert-manager has none to put there.
	state.certificate, state.certificateReady = r.examine(state, secret, v1.ReasonIssued)
	if !signs(state.authorities, secret.Data[corev1.TLSCertKey], state.now) {
		state.authorities = nil
	}
	if !issued {
		state.certificate, state.certificateReady = issuing, false
	}
	return nil
}

// signs tells whether a certificate with its chain is of one of these authorities, all in
// PEM.
func signs(authorities, chain []byte, now time.Time) bool {
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now}
	options.Roots.AppendCertsFromPEM(authorities)
	options.Intermediates.AppendCertsFromPEM(chain)
	block, _ := pem.Decode(chain)
	if block == nil {
		return false
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return false
	}
	_, err = leaf.Verify(options)
	return err == nil
}

// requestsTell where cert-manager says that there is no such issuer, and what an issuer
// says: not in the Certificate.
const requestsTell = "; if it stays so, kubectl describe certificaterequests shows what the issuer waits for"

// readCertificate reads what cert-manager was asked for; nil if that is nothing.
func (r *Reconciler) readCertificate(ctx context.Context, n *v1.PeerNetwork) (*unstructured.Unstructured, error) {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(resources.CertificateKind)
	err := r.Reader.Get(ctx, types.NamespacedName{Namespace: n.Namespace, Name: resources.CertificateName(n)}, live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return live, nil
}

// askForCertificate asks cert-manager for it, and tells so, unless what was asked for is
// as it is to be.
func (r *Reconciler) askForCertificate(ctx context.Context, state *run, live *unstructured.Unstructured) (bool, error) {
	n, needed, before := state.network, r.hosts(state), resources.CertificateHosts(live)
	if live != nil && plan.HaveAll(before, needed) && within(resources.Certificate(n, before).Object, live.Object) {
		return false, nil
	}
	again := append(plan.NodesHosts(n, state.nodes), plan.ServicesHosts(n, r.Settings, state.services)...)
	desired := resources.Certificate(n, plan.IssuedHosts(needed, before, again))
	if err := r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(desired), fieldOwner, client.ForceOwnership); err != nil {
		return false, fmt.Errorf("apply the Certificate: %w", err)
	}
	r.Metrics.wrote(resources.CertificateKind.Kind)
	return true, nil
}

// askNoMore has cert-manager make no certificate that was asked for under another spec.
// What it made stays, for seeds that run with it until there is another.
func (r *Reconciler) askNoMore(ctx context.Context, n *v1.PeerNetwork) error {
	if r.memory.trusting(client.ObjectKeyFromObject(n)) {
		return nil // it was seen to under this spec
	}
	live, err := r.readCertificate(ctx, n)
	switch {
	case meta.IsNoMatchError(err):
		return nil
	case err != nil:
		return fmt.Errorf("read the Certificate: %w", err)
	case live == nil || !metav1.IsControlledBy(live, n):
		return nil
	}
	return r.delete(ctx, resources.CertificateKind.Kind, live)
}

// What cert-manager says of a Secret begins with this, and has its Certificate's name.
const (
	certManagerPrefix  = "cert-manager.io/"
	certificateNameKey = certManagerPrefix + "certificate-name"
)

// takeOver makes the Secret the operator's own that cert-manager made for the network
// while it had an issuer. Annotations that stayed would say more of the certificate than
// the operator's own do, which are written next.
func (r *Reconciler) takeOver(ctx context.Context, n *v1.PeerNetwork) error {
	secret, err := r.readSecret(ctx, n, resources.CertificateSecretName(n))
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	if secret.Annotations[certificateNameKey] != resources.CertificateName(n) || secret.Labels[resources.NetworkLabel] != n.Name {
		return nil
	}
	key := client.ObjectKeyFromObject(n)
	if r.memory.trusting(key) {
		return errReadAgain
	}
	ours := secret.DeepCopy()
	maps.DeleteFunc(ours.Annotations, func(key, _ string) bool { return strings.HasPrefix(key, certManagerPrefix) })
	ours.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(n, v1.GroupVersion.WithKind(v1.Kind))}
	if err := r.Client.Patch(ctx, ours, client.MergeFromWithOptions(secret, client.MergeFromWithOptimisticLock{}), fieldOwner); err != nil {
		return fmt.Errorf("take the Secret %s over: %w", secret.Name, err)
	}
	r.memory.forgetSecret(key, secret.Name)
	r.Metrics.wrote("Secret")
	return nil
}

// readiness is what cert-manager says of a Certificate as it is now: whether it is
// issued, and a sentence. Versions that do not say of which generation are believed.
func readiness(certificate *unstructured.Unstructured) (issued bool, says string) {
	if certificate != nil {
		conditions, _, _ := unstructured.NestedSlice(certificate.Object, "status", "conditions")
		for _, condition := range conditions {
			fields, ok := condition.(map[string]any)
			if !ok || fields["type"] != "Ready" {
				continue
			}
			if of, ok := fields["observedGeneration"].(int64); ok && of != certificate.GetGeneration() {
				break
			}
			return fields["status"] == "True", fmt.Sprint(fields["message"])
		}
	}
	return false, "it says nothing yet"
}
