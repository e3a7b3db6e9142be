package resources

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// ServiceAccount is one without a token: seeds need no API server.
func ServiceAccount(n *v1.PeerNetwork) *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(SeedsName(n), n.Namespace).
		WithLabels(Labels(n)).
		WithOwnerReferences(owner(n)).
		WithAutomountServiceAccountToken(false)
}
