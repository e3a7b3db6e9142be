package resources

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Secret has what the operator makes and keeps: keys, TURN and mesh secrets.
func Secret(n *v1.PeerNetwork, name string, data map[string][]byte) *corev1ac.SecretApplyConfiguration {
	return secret(n, name, corev1.SecretTypeOpaque, data)
}

// What cert-manager says in a Secret of the issuer that made the certificate.
const (
	issuerNameKey  = "cert-manager.io/issuer-name"
	issuerKindKey  = "cert-manager.io/issuer-kind"
	issuerGroupKey = "cert-manager.io/issuer-group"
)

// CertificateSecret has the certificate of the operator's own authority, with its
// key and with the authorities that clients trust, in PEM.
//
// It says whose it is in cert-manager's words: one that does not say is taken for that of
// any Issuer by cert-manager, which would make none of its own until this has to be
// renewed, should the network have an issuer (SecretIssuerAnnotationsMismatch in its
// internal/controller/certificates/policies).
func CertificateSecret(n *v1.PeerNetwork, certificate, key, authorities []byte) *corev1ac.SecretApplyConfiguration {
	return secret(n, CertificateSecretName(n), corev1.SecretTypeTLS, map[string][]byte{
		corev1.TLSCertKey:       certificate,
		corev1.TLSPrivateKeyKey: key,
		AuthorityKey:            authorities,
	}).WithAnnotations(map[string]string{
		issuerNameKey:  n.Name,
		issuerKindKey:  v1.Kind,
		issuerGroupKey: v1.GroupVersion.Group,
	})
}

func secret(n *v1.PeerNetwork, name string, kind corev1.SecretType, data map[string][]byte) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(name, n.Namespace).
		WithLabels(Labels(n)).
		WithOwnerReferences(owner(n)).
		WithType(kind).
		WithData(data)
}
