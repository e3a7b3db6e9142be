//go:build apiserver

package operator

import (
	"bytes"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// problemCases are what a person has to change, on a network whose seeds run.
var problemCases = map[string]struct {
	act  func(*world)
	want string // of the condition Available
}{
	"a Secret is missing": {func(w *world) {
		w.must(w.client.Delete(w.Context(), named[corev1.Secret](w, "members")))
	}, "False SecretMissing: the Secret members, which spec.access.tokens names"},
	"an object is another's": {func(w *world) {
		w.must(w.client.Delete(w.Context(), named[corev1.ServiceAccount](w, "demo-seed")))
		w.must(w.client.Create(w.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: "demo-seed"}}))
	}, "False InvalidSpec: the ServiceAccount demo-seed is there and is not of this PeerNetwork"},
	"the cluster refuses the seeds": {func(w *world) {
		w.update(func(s *v1.PeerNetworkSpec) {
			s.Pod.Tolerations = []corev1.Toleration{{Key: "dedicated", Operator: "Equals"}}
		})
	}, "False InvalidSpec: the cluster refuses what is made of the spec"},
	"a secret of seeds was changed": {func(w *world) {
		secret := named[corev1.Secret](w, "demo-mesh")
		secret.Data["history.json"] = []byte("lost")
		w.must(w.client.Update(w.Context(), secret))
	}, "False InvalidSpec: the Secret demo-mesh is not as the operator wrote it"},
}

// Whatever a person has to change: a seed that fails is withdrawn, and certificate and
// secrets are renewed. The seeds that run stay as they are until it is done.
func TestAPIServerProblemsKeepNothingElse(t *testing.T) {
	for name, c := range problemCases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}, Access: v1.Access{Tokens: &v1.SecretKey{SecretName: "members", Key: "list"}}})
			members := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: "members"}, StringData: map[string]string{"list": "0123456789abcdef"}}
			w.must(w.client.Create(t.Context(), members))
			pods := w.running(2)
			w.settled()
			w.wantConditions("Published True AllSeedsPublished")
			certificate, secret := named[corev1.Secret](w, "demo-tls"), named[corev1.Secret](w, "demo-turn")
			generation, bootstrap := w.set().Generation, *w.network.Status.Bootstrap

			c.act(w)
			w.get(pods[0]) // the document has it be annotated
			w.unready(pods[0])
			w.peers[pods[1].Name] = 7
			w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 3 })
			w.told()
			w.now = w.now.Add(70 * 24 * time.Hour)
			w.reconcile() // which a StatefulSet that is refused writes nothing in
			w.wantConditions("Available "+c.want, "Published "+c.want)
			if d := w.document(); d.Sequence != uint64(bootstrap.Sequence)+1 || len(d.Seeds) != 1 || d.Seeds[0].Name != pods[1].Name {
				t.Errorf("published is %+v", d)
			}
			if s := w.network.Status; s.ReadyReplicas != 1 || s.Peers != 7 || s.Seeds[0].Reason != v1.SeedPending || s.Seeds[1].Reason != v1.SeedReached || s.Bootstrap.PublicKey != bootstrap.PublicKey {
				t.Errorf("the status is %+v", s)
			}
			if !hasTold(w.told(), "Withdrawn", pods[0].Name) {
				t.Error("of the seed that failed is not told")
			}
			for _, before := range []*corev1.Secret{certificate, secret} {
				if after := named[corev1.Secret](w, before.Name); after.ResourceVersion == before.ResourceVersion {
					t.Errorf("the Secret %s is not renewed", before.Name)
				}
			}
			if now := w.set(); now.Generation != generation {
				t.Errorf("the StatefulSet is changed: %+v", now.Spec)
			}
			if desired := w.network.Status.DesiredReplicas; desired != 2 {
				t.Errorf("desired are %d seeds, and the StatefulSet has 2", desired)
			}
		})
	}
}

// While the operator's own authority cannot be read, seeds are reached by the
// certificates that clients have of it, and published with them.
func TestAPIServerProblemOfAuthority(t *testing.T) {
	w := published(t)
	authorities := named[corev1.Secret](w, "demo-tls").Data["ca.crt"]
	secret := named[corev1.Secret](w, "demo-ca")
	secret.Data["ca.crt"] = []byte("lost")
	w.must(w.client.Update(t.Context(), secret))
	w.later()
	w.wantConditions("CertificateReady False InvalidSpec: the Secret demo-ca is not as the operator wrote it")
	if len(w.authorities) == 0 || !bytes.Equal(w.authorities, authorities) {
		t.Errorf("the seed is reached by %q, and has a certificate of %q", w.authorities, authorities)
	}
	if published := named[corev1.ConfigMap](w, "demo-bootstrap").Data["ca.crt"]; published != string(authorities) {
		t.Errorf("clients are told to trust %q", published)
	}
	if d := w.document(); d.Sequence != 2 || len(d.Seeds) != 1 {
		t.Errorf("published is %+v", d)
	}
}

// Nothing is published that cannot be signed, and the status is of the seeds all the
// same.
func TestAPIServerProblemOfSigningKey(t *testing.T) {
	w := published(t)
	bootstrap := *w.network.Status.Bootstrap
	secret := named[corev1.Secret](w, "demo-signing")
	secret.OwnerReferences = nil
	w.must(w.client.Update(t.Context(), secret))
	w.must(w.client.Delete(t.Context(), named[corev1.ConfigMap](w, "demo-bootstrap")))
	w.peers["demo-seed-0"] = 5
	w.later()
	w.wantConditions("Published False InvalidSpec: the Secret demo-signing is there and is not of this PeerNetwork")
	if s := w.network.Status; s.Peers != 5 || *s.Bootstrap != bootstrap {
		t.Errorf("the status is %+v", s)
	}
	var configs corev1.ConfigMapList
	w.must(w.client.List(t.Context(), &configs, client.InNamespace(w.network.Namespace), client.HasLabels{resources.NetworkLabel}))
	if len(configs.Items) != 0 {
		t.Errorf("published is %q", configs.Items[0].Data)
	}
}
