package resources

import (
	"strings"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Keys of the bootstrap ConfigMap, beside [BootstrapFile].
const (
	AddressesKey = "addresses"
	PublicKeyKey = "public-key"
	AuthorityKey = "ca.crt"
)

// BootstrapConfigMap publishes the bootstrap document, the addresses in it one a
// line, the key that verifies it, and, where the certificate is of the operator's own authority, what
// clients have to trust, in PEM.
func BootstrapConfigMap(n *v1.PeerNetwork, document []byte, addresses []string, publicKey string, authority []byte) *corev1ac.ConfigMapApplyConfiguration {
	var lines strings.Builder
	for _, address := range addresses {
		lines.WriteString(address + "\n")
	}
	config := corev1ac.ConfigMap(BootstrapName(n), n.Namespace).
		WithLabels(Labels(n)).
		WithOwnerReferences(owner(n)).
		WithData(map[string]string{BootstrapFile: string(document), AddressesKey: lines.String(), PublicKeyKey: publicKey + "\n"})
	if len(authority) > 0 {
		config.WithData(map[string]string{AuthorityKey: string(authority)})
	}
	return config
}
