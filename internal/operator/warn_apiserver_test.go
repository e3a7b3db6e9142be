//go:build apiserver

package operator

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// secret makes one, or changes it.
func (w *world) secret(name string, data map[string]string) {
	w.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: name}, StringData: data}
	err := w.client.Create(w.Context(), secret)
	if apierrors.IsAlreadyExists(err) {
		err = w.client.Update(w.Context(), secret)
	}
	w.must(err)
}

// wantWarned wants warnings that begin so, and no others, since it was called last; and
// none is repeated by an operator that goes on, or is restarted.
func (w *world) wantWarned(want ...string) {
	w.Helper()
	w.later()
	w.reconciler.forget(client.ObjectKeyFromObject(w.network))
	w.later()
	var got []string
	for _, event := range w.told() {
		if warning, is := strings.CutPrefix(event, corev1.EventTypeWarning+" "); is {
			got = append(got, warning)
		}
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		w.Errorf("warnings are %q, want %q", got, want)
	}
}

// Of what a person has to do is told once, and once more when it is something else.
func TestAPIServerWarnsOnce(t *testing.T) {
	t.Run("of tokens", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{Access: v1.Access{Tokens: &v1.SecretKey{SecretName: "members", Key: "list"}}})
		w.wantWarned("SecretMissing the Secret members, which spec.access.tokens names, is not in the namespace")
		w.secret("members", map[string]string{"lists": "x"})
		w.wantWarned("SecretMissing the Secret members, which spec.access.tokens names, has nothing under the key list")
		w.secret("members", map[string]string{"list": "0123456789abcdef"})
		w.wantWarned()
		w.must(w.client.Delete(t.Context(), named[corev1.Secret](w, "members")))
		w.wantWarned("SecretMissing the Secret members, which spec.access.tokens names, is not in the namespace")
	})
	t.Run("of a certificate", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}, TLS: v1.TLS{SecretName: "mine"}})
		w.wantWarned("SecretMissing the Secret mine, which spec.tls.secretName names, is not in the namespace")
		w.secret("mine", nil)
		w.wantWarned("SecretInvalid the Secret mine has no certificate with its key")
		w.must(w.client.Delete(t.Context(), named[corev1.Secret](w, "mine")))
		w.certified("mine", w.now.Add(-365*24*time.Hour), "198.51.100.1")
		w.wantWarned("CertificateExpired the certificate in the Secret mine is good from")
		w.must(w.client.Delete(t.Context(), named[corev1.Secret](w, "mine")))
		w.certified("mine", w.now, "198.51.100.1")
		w.wantWarned()
		w.running(2)
		w.wantWarned("NamesMissing the certificate in the Secret mine is not good for 203.0.113.100, 203.0.113.101")
	})
	t.Run("of cert-manager", func(t *testing.T) {
		w := newWorld(t, *issuedCertificate.DeepCopy())
		w.wantWarned("CertManagerMissing spec.tls.issuer needs cert-manager")
	})
	t.Run("of the spec", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{})
		w.must(w.client.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: "demo-seed"}}))
		w.wantWarned("InvalidSpec the ServiceAccount demo-seed is there and is not of this PeerNetwork")
	})
	t.Run("of seeds that stall", func(t *testing.T) {
		w := newWorld(t, *onHostPorts.DeepCopy())
		w.settled()
		w.now = w.now.Add(stallTime)
		w.wantWarned("Stalled 2 of 2 pods are missing")
		pod := w.running(1)[0]
		w.unready(pod)
		w.now = w.now.Add(stallTime)
		w.wantWarned()
	})
}
