//go:build apiserver

package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/authority"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

var onHostPorts = v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}}

// running has so many seeds run, each on a node of its own.
func (w *world) running(seeds int32) (pods []*corev1.Pod) {
	w.Helper()
	w.settled()
	for ordinal := range seeds {
		node := w.node(fmt.Sprintf("203.0.113.%d", 100+ordinal))
		pod := w.pod(resources.SeedName(w.network, ordinal), node)
		w.Cleanup(func() {
			w.must(client.IgnoreNotFound(w.client.Delete(context.WithoutCancel(w.Context()), pod, client.GracePeriodSeconds(0))))
		})
		pods = append(pods, pod)
	}
	return pods
}

// certified makes a Secret of that name with a certificate for these hosts, of that time.
func (w *world) certified(name string, made time.Time, hosts ...string) {
	w.Helper()
	authorities, err := authority.Authorities{}.Renew("demo", made)
	w.must(err)
	certificate, err := authority.Certificate{}.Renew(authorities, hosts, made)
	w.must(err)
	w.must(w.client.Create(w.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: name},
		Type:       corev1.SecretTypeTLS,
		Data: map[string][]byte{
			corev1.TLSCertKey: certificate.Certificate, corev1.TLSPrivateKeyKey: certificate.Key,
			resources.AuthorityKey: authorities.Certificates,
		},
	}))
}

// conditionCases are what brings a network to each reason.
var conditionCases = []struct {
	kind, reason string
	status       metav1.ConditionStatus
	spec         v1.PeerNetworkSpec
	act          func(*world)
}{
	{v1.ConditionAvailable, v1.ReasonInvalidSpec, metav1.ConditionFalse, v1.PeerNetworkSpec{Pod: v1.Pod{Tolerations: []corev1.Toleration{{Key: "dedicated", Operator: "Equals"}}}}, func(w *world) {
		w.reconcile()
	}},
	{v1.ConditionPublished, v1.ReasonSecretMissing, metav1.ConditionFalse, v1.PeerNetworkSpec{Access: v1.Access{Tokens: &v1.SecretKey{SecretName: "members", Key: "list"}}}, (*world).settled},
	{v1.ConditionAvailable, v1.ReasonReconcileFailed, metav1.ConditionUnknown, onHostPorts, func(w *world) {
		w.running(1)
		w.settled()
		w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 3 })
		w.reconciler.Client = interceptor.NewClient(w.reconciler.Client.(client.WithWatch), interceptor.Funcs{
			Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
				return errors.New("refused")
			},
		})
		for _, later := range []time.Duration{0, failTime} {
			w.now = w.now.Add(later)
			if _, err := w.reconciler.Reconcile(w.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(w.network)}); err == nil {
				w.Error("a reconcile that failed is not tried again")
			}
		}
		w.get(w.network)
	}},
	{v1.ConditionAvailable, v1.ReasonSeedsReachable, metav1.ConditionTrue, onHostPorts, func(w *world) { w.running(1); w.settled() }},
	{v1.ConditionAvailable, v1.ReasonNoSeedReady, metav1.ConditionFalse, onHostPorts, (*world).settled},
	{v1.ConditionAvailable, v1.ReasonNoSeedReachable, metav1.ConditionFalse, onHostPorts, func(w *world) { w.unasked = true; w.running(1); w.settled() }},
	{v1.ConditionProgressing, v1.ReasonCreating, metav1.ConditionTrue, onHostPorts, func(w *world) { w.running(1); w.settled() }},
	{v1.ConditionProgressing, v1.ReasonComplete, metav1.ConditionFalse, onHostPorts, func(w *world) { w.running(2); w.settled() }},
	{v1.ConditionProgressing, v1.ReasonRollingOut, metav1.ConditionTrue, onHostPorts, func(w *world) {
		w.running(2)
		w.settled()
		w.update(func(s *v1.PeerNetworkSpec) { s.Pod.Image = "seed:next" })
		w.settled()
	}},
	{v1.ConditionProgressing, v1.ReasonScalingUp, metav1.ConditionTrue, onHostPorts, func(w *world) {
		w.running(2)
		w.settled()
		w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 3 })
		w.settled()
	}},
	{v1.ConditionProgressing, v1.ReasonScalingDown, metav1.ConditionTrue, onHostPorts, func(w *world) {
		w.running(2)
		w.settled()
		w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 1 })
		w.settled()
	}},
	{v1.ConditionProgressing, v1.ReasonStalled, metav1.ConditionFalse, onHostPorts, func(w *world) {
		w.unready(w.running(1)[0])
		w.now = w.now.Add(2 * stallTime)
		w.settled()
	}},
	{v1.ConditionPublished, v1.ReasonAllSeedsPublished, metav1.ConditionTrue, onHostPorts, func(w *world) { w.running(2); w.settled() }},
	{v1.ConditionPublished, v1.ReasonSeedsWithheld, metav1.ConditionFalse, onHostPorts, func(w *world) {
		pods := w.running(2)
		w.settled()
		w.must(w.client.Delete(w.Context(), pods[1]))
		w.settled()
	}},
	{v1.ConditionPublished, v1.ReasonAddressesPending, metav1.ConditionFalse, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeLoadBalancer}}, func(w *world) { w.running(2); w.settled() }},
	{v1.ConditionPublished, v1.ReasonNothingToPublish, metav1.ConditionFalse, onHostPorts, func(w *world) { w.unready(w.running(1)[0]); w.settled() }},
	{v1.ConditionCertificateReady, v1.ReasonSelfSigned, metav1.ConditionTrue, onHostPorts, (*world).settled},
	{v1.ConditionCertificateReady, v1.ReasonProvided, metav1.ConditionTrue, ownCertificate, func(w *world) {
		w.certified("mine", w.now, "203.0.113.100")
		w.running(1)
		w.settled()
	}},
	{v1.ConditionCertificateReady, v1.ReasonSecretInvalid, metav1.ConditionFalse, ownCertificate, func(w *world) {
		w.must(w.client.Create(w.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: "mine"}}))
		w.settled()
	}},
	{v1.ConditionCertificateReady, v1.ReasonCertificateExpired, metav1.ConditionFalse, ownCertificate, func(w *world) {
		w.certified("mine", w.now.Add(-365*24*time.Hour), "203.0.113.100")
		w.settled()
	}},
	{v1.ConditionCertificateReady, v1.ReasonNamesMissing, metav1.ConditionFalse, ownCertificate, func(w *world) {
		w.certified("mine", w.now, "198.51.100.1")
		w.running(1)
		w.settled()
	}},
	{v1.ConditionCertificateReady, v1.ReasonCertManagerMissing, metav1.ConditionFalse, issuedCertificate, (*world).settled},
	{v1.ConditionCertificateReady, v1.ReasonIssuing, metav1.ConditionFalse, issuedCertificate, func(w *world) { w.certManager(); w.settled() }},
	{v1.ConditionCertificateReady, v1.ReasonIssued, metav1.ConditionTrue, issuedCertificate, func(w *world) {
		w.certManager()
		w.settled()
		w.issued(resources.SeedHost(w.network, w.reconciler.Settings, 0))
		w.later()
	}},
}

var (
	ownCertificate    = v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}, TLS: v1.TLS{SecretName: "mine"}}
	issuedCertificate = v1.PeerNetworkSpec{TLS: v1.TLS{Issuer: &v1.IssuerReference{Name: "letsencrypt"}}}
)

// unready has a pod that was ready take no connections.
func (w *world) unready(pod *corev1.Pod) {
	w.Helper()
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
	w.must(w.client.Status().Update(w.Context(), pod))
}

// certManager has the API server know Certificates until the test ends.
func (w *world) certManager() {
	w.Helper()
	const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: certificates.cert-manager.io}
spec:
  group: cert-manager.io
  names: {kind: Certificate, plural: certificates}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`
	for _, args := range [][]string{{"apply", "-f", "-"}, {"wait", "--for=condition=Established", "--timeout=120s", "crd/certificates.cert-manager.io"}} {
		if output, err := server.Kubectl(definition, args...); err != nil {
			w.Fatalf("kubectl %v: %v: %s", args, err, output)
		}
	}
	served := func() bool {
		_, err := server.Kubectl("", "get", "--raw", "/apis/cert-manager.io/v1")
		return err == nil
	}
	w.Cleanup(func() {
		if output, err := server.Kubectl("", "delete", "crd", "certificates.cert-manager.io", "--timeout=120s"); err != nil {
			w.Errorf("remove the definition: %v: %s", err, output)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(w.Context()), 5*time.Minute)
		defer cancel()
		// It is told of for a little after it has gone, which other tests would hear.
		w.must(wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(context.Context) (bool, error) { return !served(), nil }))
	})
	w.until("Certificates are served", served)
}

// A network comes to every reason that its conditions may have.
func TestAPIServerEveryConditionReason(t *testing.T) {
	var reached []string
	for _, c := range conditionCases {
		reached = append(reached, c.reason)
		t.Run(c.kind+" is "+string(c.status)+", "+c.reason, func(t *testing.T) {
			w := newWorld(t, *c.spec.DeepCopy())
			c.act(w)
			found := meta.FindStatusCondition(w.network.Status.Conditions, c.kind)
			if found == nil || found.Reason != c.reason || found.Status != c.status || found.Message == "" || found.ObservedGeneration != w.network.Generation {
				t.Errorf("the condition is %+v", found)
			}
		})
	}
	if want := constants(t, "conditions.go", "Reason"); !slices.Equal(slices.Sorted(slices.Values(reached)), want) {
		t.Errorf("there are cases of\n%q\nand reasons\n%q", reached, want)
	}
}

// A StatefulSet whose pods are not made, as Pod Security or a quota has it, is not on its
// way for ever. What was found stays found by an operator that is restarted.
func TestAPIServerStalledWithoutPods(t *testing.T) {
	w := newWorld(t, *onHostPorts.DeepCopy())
	w.settled()
	w.now = w.now.Add(stallTime - time.Second)
	w.settled()
	w.wantConditions("Progressing True Creating: 0 of 2")
	w.now = w.now.Add(time.Second)
	w.settled()
	const stalledPods = "Progressing False Stalled: 2 of 2 pods are missing: kubectl -n "
	stalled := stalledPods + w.network.Namespace + " describe statefulset demo-seed shows why they are not made"
	w.wantConditions(stalled)
	w.reconciler.forget(client.ObjectKeyFromObject(w.network))
	w.settled()
	w.wantConditions(stalled)

	for ordinal := range int32(2) {
		pod := w.pod(resources.SeedName(w.network, ordinal), w.node("203.0.113.40"))
		t.Cleanup(func() { w.gone(pod) })
		w.settled()
		w.wantConditions([]string{"Progressing False Stalled: 1 of 2 pods are missing", "Progressing False Complete"}[ordinal])
	}
	w.gone(named[corev1.Pod](w, "demo-seed-1"))
	w.settled()
	w.wantConditions("Progressing True RollingOut: 1 of 2")
	w.now = w.now.Add(stallTime)
	w.settled()
	w.wantConditions("Progressing False Stalled: 1 of 2 pods are missing")
}

// seedCases bring a network's first seed to each reason.
var seedCases = []struct {
	reason v1.SeedReason
	act    func(*world, *corev1.Pod)
}{
	{v1.SeedReached, func(*world, *corev1.Pod) {}},
	{v1.SeedPending, (*world).unready},
	{v1.SeedDraining, func(w *world, pod *corev1.Pod) { w.must(w.client.Delete(w.Context(), pod)) }},
	{v1.SeedNoAddress, func(w *world, _ *corev1.Pod) {
		w.update(func(s *v1.PeerNetworkSpec) { s.Exposure.AddressTypes = []v1.NodeAddressType{v1.NodeInternalDNS} })
	}},
	{v1.SeedNotProbed, func(w *world, _ *corev1.Pod) { w.unasked = true }},
	{v1.SeedResolveFailed, fails(v1.SeedResolveFailed)},
	{v1.SeedDialFailed, fails(v1.SeedDialFailed)},
	{v1.SeedTLSFailed, fails(v1.SeedTLSFailed)},
	{v1.SeedHandshakeFailed, fails(v1.SeedHandshakeFailed)},
	{v1.SeedSTUNFailed, fails(v1.SeedSTUNFailed)},
	{v1.SeedTURNFailed, fails(v1.SeedTURNFailed)},
}

// fails is for what a probe finds; package probe tests that it finds it.
func fails(reason v1.SeedReason) func(*world, *corev1.Pod) {
	return func(w *world, _ *corev1.Pod) { w.unreached["wss://203.0.113.100:8443"] = reason }
}

// A seed comes to every reason, and is published with those that say that it is
// reached: with all URLs of TURN, or without those at which nobody answers. With the
// others it is reached nowhere here; see TestAPIServerOneAddressOut.
func TestAPIServerEverySeedReason(t *testing.T) {
	var reached []string
	for _, c := range seedCases {
		reached = append(reached, string(c.reason))
		t.Run(string(c.reason), func(t *testing.T) {
			w := newWorld(t, *onHostPorts.DeepCopy())
			c.act(w, w.running(1)[0])
			w.settled()
			seeds := w.network.Status.Seeds
			reachable := slices.Contains([]v1.SeedReason{v1.SeedReached, v1.SeedSTUNFailed, v1.SeedTURNFailed}, c.reason)
			if len(seeds) != 1 || seeds[0].Reason != c.reason || seeds[0].Message == "" || seeds[0].Reachable != reachable {
				t.Fatalf("the seeds are %+v", seeds)
			}
			published := w.document().Seeds
			if !reachable {
				if len(published) != 0 {
					t.Errorf("published is %+v", published)
				}
				return
			}
			want := []string{"stun:203.0.113.100:3478", "turn:203.0.113.100:3478?transport=udp", "turn:203.0.113.100:3478?transport=tcp", "turns:203.0.113.100:8443?transport=tcp"}
			if c.reason != v1.SeedReached {
				want = want[1:]
			}
			if len(published) != 1 || len(published[0].Addresses) == 0 || !slices.Equal(published[0].TURN, want) || !slices.Equal(seeds[0].TURNAddresses, want) {
				t.Errorf("published is %+v, and the status has %q, want TURN at %q", published, seeds[0].TURNAddresses, want)
			}
			// After a restart it stays so until it is known to be wrong.
			w.unasked = true
			w.settled()
			if again := w.document().Seeds; len(again) != 1 || !slices.Equal(again[0].TURN, want) {
				t.Errorf("after a restart published is %+v, want TURN at %q", again, want)
			}
		})
	}
	if want := constants(t, "status.go", "Seed"); !slices.Equal(slices.Sorted(slices.Values(reached)), want) {
		t.Errorf("there are cases of\n%q\nand reasons\n%q", reached, want)
	}
}
