//go:build apiserver

package operator

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// asked is what cert-manager is asked for.
func (w *world) asked() *unstructured.Unstructured {
	w.Helper()
	certificate := &unstructured.Unstructured{}
	certificate.SetGroupVersionKind(resources.CertificateKind)
	certificate.SetNamespace(w.network.Namespace)
	certificate.SetName(resources.CertificateName(w.network))
	w.get(certificate)
	return certificate
}

// wantAsked wants it to be asked for as often, and for a certificate that is good for
// these hosts among others.
func (w *world) wantAsked(when string, times int64, hosts ...string) {
	w.Helper()
	certificate := w.asked()
	if got := certificate.GetGeneration(); got != times {
		w.Errorf("%s: cert-manager was asked %d times, want %d: %v", when, got, times, certificate.Object["spec"])
	}
	got := resources.CertificateHosts(certificate)
	for _, host := range hosts {
		if !slices.Contains(got, host) {
			w.Errorf("%s: it is asked for %q, which is not for %s", when, got, host)
		}
	}
}

// A certificate is asked for anew when a seed is somewhere else, and not when a seed is
// there, has gone or has come back.
func TestAPIServerAsksForCertificatesOnce(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{
		Exposure:    v1.Exposure{Type: v1.ExposeHostPort},
		TLS:         v1.TLS{Issuer: &v1.IssuerReference{Name: "letsencrypt"}},
		Autoscaling: &v1.Autoscaling{MinReplicas: 2, MaxReplicas: 4},
	})
	w.certManager()
	pods := w.running(2)
	w.wantAsked("before there are pods", 1, resources.SeedHost(w.network, w.reconciler.Settings, 3))
	w.settled()
	w.wantAsked("on two nodes", 2, "203.0.113.100", "203.0.113.101")

	w.gone(pods[1])
	w.settled()
	w.wantAsked("without a pod", 2)
	again := w.pod(pods[1].Name, pods[1].Spec.NodeName)
	w.settled()
	w.wantAsked("with another pod on its node", 2)

	w.gone(again)
	w.settled()
	moved := w.pod(again.Name, w.node("203.0.113.9"))
	t.Cleanup(func() { w.gone(moved) })
	w.settled()
	w.wantAsked("on another node", 3, "203.0.113.9", "203.0.113.101")

	w.update(func(s *v1.PeerNetworkSpec) { s.Autoscaling.MinReplicas = 4 })
	w.settled()
	w.wantAsked("with more seeds to be", 3)

	// Names that are not of the network any more are asked for no longer.
	w.update(func(s *v1.PeerNetworkSpec) { s.Exposure.Domain = "seeds.example.org" })
	w.settled()
	w.wantAsked("with names", 4, "0.seeds.example.org", "3.seeds.example.org")
	if got := resources.CertificateHosts(w.asked()); len(got) != 4 {
		t.Errorf("it is asked for %q", got)
	}
}
