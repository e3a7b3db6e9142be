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

// CertificateSecret has the certificate of the operator's own authority, with its
// key and with the authorities that clients trust, in PEM.
func CertificateSecret(n *v1.PeerNetwork, certificate, key, authorities []byte) *corev1ac.SecretApplyConfiguration {
	return secret(n, CertificateSecretName(n), corev1.SecretTypeTLS, map[string][]byte{
		corev1.TLSCertKey:       certificate,
		corev1.TLSPrivateKeyKey: key,
		AuthorityKey:            authorities,
	})
}

func secret(n *v1.PeerNetwork, name string, kind corev1.SecretType, data map[string][]byte) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(name, n.Namespace).
		WithLabels(Labels(n)).
		WithOwnerReferences(owner(n)).
		WithType(kind).
		WithData(data)
}
