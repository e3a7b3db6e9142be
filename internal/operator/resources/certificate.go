package resources

import (
	"net/netip"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// CertificateKind is cert-manager's.
var CertificateKind = schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}

// Certificate has cert-manager make the certificate for these hosts, names and
// addresses. It is for a network with an issuer.
func Certificate(n *v1.PeerNetwork, hosts []string) *unstructured.Unstructured {
	var names, addresses []any
	for _, host := range hosts {
		if _, err := netip.ParseAddr(host); err == nil {
			addresses = append(addresses, host)
		} else {
			names = append(names, host)
		}
	}
	labels := make(map[string]any)
	for key, value := range Labels(n) {
		labels[key] = value
	}
	issuer := n.Spec.TLS.Issuer
	spec := map[string]any{
		"secretName":     CertificateSecretName(n),
		"secretTemplate": map[string]any{"labels": map[string]any{NetworkLabel: n.Name}},
		"issuerRef":      map[string]any{"name": issuer.Name, "kind": issuer.Kind, "group": issuer.Group},
		"privateKey":     map[string]any{"algorithm": "ECDSA", "size": int64(256), "rotationPolicy": "Always"},
		"usages":         []any{"digital signature", "server auth"},
	}
	if len(names) > 0 {
		spec["dnsNames"] = names
	}
	if len(addresses) > 0 {
		spec["ipAddresses"] = addresses
	}
	certificate := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	certificate.SetGroupVersionKind(CertificateKind)
	certificate.SetNamespace(n.Namespace)
	certificate.SetName(CertificateName(n))
	certificate.Object["metadata"].(map[string]any)["labels"] = labels
	certificate.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(n, v1.GroupVersion.WithKind(v1.Kind))})
	return certificate
}

// CertificateHosts are those that a Certificate is for, names first; none of nil.
func CertificateHosts(certificate *unstructured.Unstructured) []string {
	var hosts []string
	if certificate != nil {
		for _, field := range []string{"dnsNames", "ipAddresses"} {
			some, _, _ := unstructured.NestedStringSlice(certificate.Object, "spec", field)
			hosts = append(hosts, some...)
		}
	}
	return hosts
}
