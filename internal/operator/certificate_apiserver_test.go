//go:build apiserver

package operator

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// asked is what cert-manager is asked for.
func (w *world) asked() *unstructured.Unstructured {
	w.Helper()
	certificate := certificateObject()
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

// issued is what cert-manager does when it has made a certificate, for these hosts. The
// Secret is nobody's if it makes that too, and keeps what is of others in it.
func (w *world) issued(hosts ...string) {
	w.Helper()
	w.certified("made", w.now, hosts...)
	made := named[corev1.Secret](w, "made")
	w.must(w.client.Delete(w.Context(), made))
	certificate := w.asked()
	name, _, err := unstructured.NestedString(certificate.Object, "spec", "secretName")
	w.must(err)
	labels, _, err := unstructured.NestedStringMap(certificate.Object, "spec", "secretTemplate", "labels")
	w.must(err)
	w.must(w.client.Apply(w.Context(), corev1ac.Secret(name, w.network.Namespace).
		WithLabels(labels).
		WithAnnotations(map[string]string{"cert-manager.io/certificate-name": certificate.GetName(), "cert-manager.io/issuer-name": "letsencrypt", "cert-manager.io/issuer-kind": "Issuer", "cert-manager.io/issuer-group": "cert-manager.io"}).
		WithType(corev1.SecretTypeTLS).
		WithData(map[string][]byte{corev1.TLSCertKey: made.Data[corev1.TLSCertKey], corev1.TLSPrivateKeyKey: made.Data[corev1.TLSPrivateKeyKey]}),
		client.FieldOwner("cert-manager"), client.ForceOwnership))
	w.says("True", certificate.GetGeneration())
}

// says has cert-manager say of a generation of the Certificate whether it is issued.
func (w *world) says(ready string, generation int64) {
	w.Helper()
	certificate := w.asked()
	certificate.Object["status"] = map[string]any{"conditions": []any{map[string]any{
		"type": "Ready", "status": ready, "message": "said of " + ready, "observedGeneration": generation,
	}}}
	w.must(w.client.Status().Update(w.Context(), certificate))
}

// The certificate of a network may be made by anybody after anybody else.
func TestAPIServerCertificateOfAnother(t *testing.T) {
	const host = "0.seeds.example.org"
	w := newWorld(t, v1.PeerNetworkSpec{Replicas: 1, Exposure: v1.Exposure{Domain: "seeds.example.org"}})
	w.certManager()
	w.settled()
	w.certified("mine", w.now, host)
	own, issuer, mine := v1.TLS{}, v1.TLS{Issuer: &v1.IssuerReference{Name: "letsencrypt"}}, v1.TLS{SecretName: "mine"}
	goTo := func(next v1.TLS) {
		t.Helper()
		w.update(func(s *v1.PeerNetworkSpec) { s.TLS = next })
		w.settled()
		if next.Issuer == nil {
			if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(w.network), certificateObject()); !apierrors.IsNotFound(err) {
				t.Errorf("cert-manager is asked for a certificate that nobody needs: %v", err)
			}
		}
	}
	wantOwn := func() {
		t.Helper()
		w.wantConditions("CertificateReady True SelfSigned")
		secret := named[corev1.Secret](w, "demo-tls")
		// Without these, cert-manager takes what is there for a certificate of any Issuer.
		issuer := []string{secret.Annotations["cert-manager.io/issuer-name"], secret.Annotations["cert-manager.io/issuer-kind"], secret.Annotations["cert-manager.io/issuer-group"]}
		if !metav1.IsControlledBy(secret, w.network) || !slices.Equal(issuer, []string{"demo", "PeerNetwork", "peerexchange.dev"}) || secret.Annotations["cert-manager.io/certificate-name"] != "" {
			t.Errorf("the operator's own Secret is %+v", secret.ObjectMeta)
		}
		if !signs(named[corev1.Secret](w, "demo-ca").Data["ca.crt"], secret.Data["tls.crt"], w.now) {
			t.Error("the operator's own certificate is of another authority")
		}
	}
	for range 2 { // the second time with what the first has left behind
		goTo(issuer)
		w.wantConditions("CertificateReady False Issuing: cert-manager has not issued it: it says nothing yet")
		w.issued(host)
		w.settled()
		w.wantConditions("CertificateReady True Issued")
		goTo(own)
		wantOwn()
		goTo(issuer)
		w.issued(host)
		w.settled()
		goTo(mine)
		w.wantConditions("CertificateReady True Provided")
		goTo(own)
		wantOwn()
		goTo(mine)
	}

	// Where the operator has made nothing yet, all is cert-manager's.
	w = newWorld(t, v1.PeerNetworkSpec{Replicas: 1, Exposure: v1.Exposure{Domain: "seeds.example.org"}, TLS: issuer})
	w.settled()
	w.issued(host)
	w.settled()
	goTo(own)
	wantOwn()
	stranger := named[corev1.Secret](w, "demo-tls")
	stranger.OwnerReferences, stranger.Labels = nil, nil
	stranger.Annotations = map[string]string{"cert-manager.io/certificate-name": "demo"}
	w.must(w.client.Update(t.Context(), stranger))
	w.later()
	w.wantConditions("CertificateReady False InvalidSpec: the Secret demo-tls is there and is not of this PeerNetwork")
}

// What is in the Secret is the certificate that was asked for when cert-manager says so of
// what is asked for now.
func TestAPIServerCertificateIsIssuedAnew(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{Replicas: 1, Exposure: v1.Exposure{Domain: "seeds.example.org"}, TLS: v1.TLS{Issuer: &v1.IssuerReference{Name: "letsencrypt"}}})
	w.certManager()
	w.settled()
	w.issued("0.seeds.example.org")
	w.settled()
	w.wantConditions("CertificateReady True Issued")

	w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 2 })
	w.settled()
	now := w.asked().GetGeneration()
	w.wantConditions("CertificateReady False Issuing: cert-manager has not issued it: it says nothing yet")
	w.says("False", now)
	w.settled()
	w.wantConditions("CertificateReady False Issuing: cert-manager has not issued it: said of False")
	w.says("True", now)
	w.settled()
	w.wantConditions("CertificateReady True Issued")
}

func certificateObject() *unstructured.Unstructured {
	certificate := &unstructured.Unstructured{}
	certificate.SetGroupVersionKind(resources.CertificateKind)
	return certificate
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
