package resources

import (
	"fmt"
	"strconv"
	"strings"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// SeedsName is the name of what all seeds of a network share: their StatefulSet,
// headless Service, PodDisruptionBudget, NetworkPolicy and ServiceAccount.
func SeedsName(n *v1.PeerNetwork) string { return n.Name + "-seed" }

// SeedName is the name of one seed, its pod and its Service.
func SeedName(n *v1.PeerNetwork, ordinal int32) string {
	return SeedsName(n) + "-" + strconv.Itoa(int(ordinal))
}

// SeedUDPName is the name of a seed's second Service, with UDP in a load balancer
// of its own.
func SeedUDPName(n *v1.PeerNetwork, ordinal int32) string { return SeedName(n, ordinal) + "-udp" }

// Ordinal is the number of a seed of the network by the name of its pod or Service.
func Ordinal(n *v1.PeerNetwork, name string) (int32, bool) {
	number, ok := strings.CutPrefix(name, SeedsName(n)+"-")
	ordinal, err := strconv.ParseInt(number, 10, 32)
	// -0, +0 and 00 are numbers too, but nobody's name.
	return int32(ordinal), ok && err == nil && ordinal >= 0 && strconv.FormatInt(ordinal, 10) == number
}

// SeedHost is the DNS name of a seed's pod in the cluster.
func SeedHost(n *v1.PeerNetwork, s Settings, ordinal int32) string {
	return SeedName(n, ordinal) + "." + SeedsHost(n, s)
}

// SeedsHost is the DNS name of all seeds in the cluster.
func SeedsHost(n *v1.PeerNetwork, s Settings) string {
	return fmt.Sprintf("%s.%s.svc.%s", SeedsName(n), n.Namespace, s.ClusterDomain)
}

// DomainHost is the name of a seed in the domain of the network's exposure.
func DomainHost(n *v1.PeerNetwork, ordinal int32) string {
	return strconv.Itoa(int(ordinal)) + "." + n.Spec.Exposure.Domain
}

// BootstrapName is the name of the ConfigMap with the published addresses.
func BootstrapName(n *v1.PeerNetwork) string { return n.Name + "-bootstrap" }

// SigningSecretName is the name of the Secret with the key that signs them.
func SigningSecretName(n *v1.PeerNetwork) string { return n.Name + "-signing" }

// TURNSecretName is the name of the Secret that TURN credentials are made of.
func TURNSecretName(n *v1.PeerNetwork) string { return n.Name + "-turn" }

// MeshSecretName is the name of the Secret by which seeds know each other.
func MeshSecretName(n *v1.PeerNetwork) string { return n.Name + "-mesh" }

// AuthorityName is the name of the Secret with the operator's own authority.
func AuthorityName(n *v1.PeerNetwork) string { return n.Name + "-ca" }

// CertificateName is the name of cert-manager's Certificate.
func CertificateName(n *v1.PeerNetwork) string { return n.Name }

// CertificateSecretName is the name of the Secret with the seeds' certificate: the
// one that the spec names, or else the one that is made.
func CertificateSecretName(n *v1.PeerNetwork) string {
	if n.Spec.TLS.SecretName != "" {
		return n.Spec.TLS.SecretName
	}
	return n.Name + "-tls"
}
