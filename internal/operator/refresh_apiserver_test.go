//go:build apiserver

package operator

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// wantRefreshed wants the pod's annotation to be the number of that document.
func (w *world) wantRefreshed(pod *corev1.Pod, sequence string) {
	w.Helper()
	w.get(pod)
	if got := pod.Annotations[resources.BootstrapAnnotation]; got != sequence {
		w.Errorf("%s was told of document %q, want %q", pod.Name, got, sequence)
	}
}

// Kubelets are told of each document that seeds are to have, once.
func TestAPIServerRefreshesPods(t *testing.T) {
	w := published(t) // which is document 2
	first := named[corev1.Pod](w, "demo-seed-0")
	w.wantRefreshed(first, "2")
	first.Annotations["example.com/note"] = "kept"
	w.must(w.client.Update(t.Context(), first))

	w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 2 })
	w.settled()
	second := w.pod("demo-seed-1", w.node("203.0.113.12"))
	t.Cleanup(func() { w.gone(second) })
	if writes := w.reconcile(); !slices.Contains(writes, "patch "+first.Name) || !slices.Contains(writes, "patch "+second.Name) {
		t.Errorf("written with a new document is %q", writes)
	}
	w.wantRefreshed(first, "3")
	w.wantRefreshed(second, "3")
	w.settled()
	if first.Annotations["example.com/note"] != "kept" {
		t.Errorf("other annotations are lost: %v", first.Annotations)
	}

	// A seed that goes is not published any more, and reads nothing new.
	w.must(w.client.Delete(t.Context(), second))
	w.settled()
	w.wantRefreshed(first, "4")
	w.wantRefreshed(second, "3")
}

// Kubelets are told of a certificate that is another one, as soon as a load balancer has
// an address that it has to be good for.
func TestAPIServerRefreshesCertificates(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{Replicas: 1, Exposure: v1.Exposure{Type: v1.ExposeLoadBalancer}})
	pod := w.running(1)[0]
	w.settled()
	told := func() string {
		t.Helper()
		w.get(pod)
		return pod.Annotations[resources.CertificateAnnotation]
	}
	before := told()
	if before == "" {
		t.Error("the kubelet was told of no certificate")
	}
	w.balanced("demo-seed-0", "198.51.100.5")
	if writes := w.reconcile(); !slices.Contains(writes, "patch "+pod.Name) {
		t.Errorf("written with a new certificate is %q", writes)
	}
	w.settled()
	certificate := told()
	if certificate == before || certificate != shortHash(named[corev1.Secret](w, "demo-tls").Data["tls.crt"]) {
		t.Errorf("the kubelet was told of the certificate %q, and before of %q", certificate, before)
	}

	// A document that is another one has nobody look for a certificate.
	w.unreached["wss://198.51.100.5:443"] = v1.SeedDialFailed
	w.settled()
	if now := told(); now != certificate {
		t.Errorf("the kubelet was told of the certificate %q, and it is still %q", now, certificate)
	}
}

// A cluster that lets nobody change pods has its networks all the same.
func TestAPIServerRefreshRefused(t *testing.T) {
	w := published(t)
	allowed := w.reconciler.Client.(client.WithWatch)
	w.reconciler.Client = interceptor.NewClient(allowed, interceptor.Funcs{
		Patch: func(_ context.Context, _ client.WithWatch, object client.Object, _ client.Patch, _ ...client.PatchOption) error {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, object.GetName(), nil)
		},
	})
	pod := named[corev1.Pod](w, "demo-seed-0")
	address := w.document().Seeds[0].Addresses[0]
	w.unreached[address] = v1.SeedDialFailed
	w.settled()
	w.wantConditions("Published False SeedsWithheld")
	if d := w.document(); d.Sequence != 3 {
		t.Errorf("published is %+v", d)
	}
	w.wantRefreshed(pod, "2")

	w.reconciler.Client = allowed
	w.settled()
	w.wantRefreshed(pod, "3")
}
