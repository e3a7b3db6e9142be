package resources

import (
	"maps"

	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// NetworkLabel has the name of the PeerNetwork, on everything that is made for one.
// The operator watches nothing that lacks it.
const NetworkLabel = "peerexchange.dev/network"

// BootstrapAnnotation has the sequence number of the bootstrap document that was
// published last, on pods of seeds.
const BootstrapAnnotation = "peerexchange.dev/bootstrap"

// CertificateAnnotation has the hash of the certificate that was seen to last, on pods of
// seeds.
const CertificateAnnotation = "peerexchange.dev/certificate"

// podNameLabel is the label that a StatefulSet gives each of its pods.
const podNameLabel = "statefulset.kubernetes.io/pod-name"

// Selector returns the labels by which the pods of a network's seeds are known.
// They never change, since a StatefulSet's selector cannot.
func Selector(n *v1.PeerNetwork) map[string]string {
	return map[string]string{"app.kubernetes.io/name": "peerexchange-seed", NetworkLabel: n.Name}
}

// Labels are those of everything that is made for a network.
func Labels(n *v1.PeerNetwork) map[string]string {
	labels := Selector(n)
	maps.Copy(labels, map[string]string{
		"app.kubernetes.io/instance":   n.Name,
		"app.kubernetes.io/part-of":    "peerexchange",
		"app.kubernetes.io/managed-by": "peerexchange-operator",
	})
	return labels
}

// owner has everything go with the network.
func owner(n *v1.PeerNetwork) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1.GroupVersion.String()).WithKind(v1.Kind).WithName(n.Name).WithUID(n.UID).
		WithController(true).WithBlockOwnerDeletion(true)
}
