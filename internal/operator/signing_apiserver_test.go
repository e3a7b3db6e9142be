//go:build apiserver

package operator

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// published is a network with one seed that is published.
func published(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, v1.PeerNetworkSpec{Replicas: 1, Exposure: v1.Exposure{Type: v1.ExposeHostPort}})
	w.settled()
	pod := w.pod("demo-seed-0", w.node("203.0.113.11"))
	t.Cleanup(func() { w.gone(pod) })
	w.settled()
	w.wantConditions("Published True AllSeedsPublished")
	if d := w.document(); d.Network != "demo" || d.Sequence != 2 || len(d.Seeds) != 1 {
		t.Fatalf("published is %+v", d)
	}
	return w
}

// hasTold tells of an event with a reason, and text in it.
func hasTold(told []string, reason, text string) bool {
	return slices.ContainsFunc(told, func(event string) bool {
		return strings.Contains(event, " "+reason+" ") && strings.Contains(event, text)
	})
}

// The key that signs is made once. Who loses it gets another and is told, and nobody
// gets another because one cannot be read.
func TestAPIServerSigningKey(t *testing.T) {
	w := published(t)
	before := w.network.Status.Bootstrap.PublicKey
	secret := named[corev1.Secret](w, "demo-signing")
	if !metav1.IsControlledBy(secret, w.network) {
		t.Errorf("the Secret does not go with the network: %+v", secret.OwnerReferences)
	}
	if told := w.told(); hasTold(told, "SigningKeyReplaced", "") {
		t.Errorf("the first key is told of as another: %q", told)
	}
	kept := secret.Data["ed25519.pem"]

	secret.Data["ed25519.pem"] = []byte("lost")
	w.must(w.client.Update(t.Context(), secret))
	w.later()
	w.wantConditions(
		"Available False InvalidSpec: the Secret demo-signing has no key that can sign under ed25519.pem (it is no PEM block PRIVATE KEY): put it back, or delete the Secret",
		"Published False InvalidSpec")
	if secret = named[corev1.Secret](w, "demo-signing"); string(secret.Data["ed25519.pem"]) != "lost" {
		t.Error("what a person may need was written over")
	}
	if d := w.document(); d.Sequence != 2 || len(d.Seeds) != 1 {
		t.Errorf("without a key published is %+v", d)
	}
	secret.Data["ed25519.pem"] = kept
	w.must(w.client.Update(t.Context(), secret))
	w.later()
	w.wantConditions("Published True AllSeedsPublished")
	if d := w.document(); d.Sequence != 2 || w.network.Status.Bootstrap.PublicKey != before {
		t.Errorf("with the key put back the number is %d, and the key %s", d.Sequence, w.network.Status.Bootstrap.PublicKey)
	}

	w.must(w.client.Delete(t.Context(), named[corev1.Secret](w, "demo-signing")))
	w.later()
	after := w.network.Status.Bootstrap.PublicKey
	if d := w.document(); d.Sequence != 3 || len(d.Seeds) != 1 || after == before {
		t.Errorf("with a new key the number is %d, and the key %s after %s", d.Sequence, after, before)
	}
	if told := w.told(); !hasTold(told, "SigningKeyReplaced", after) || hasTold(told, "Published", "") || hasTold(told, "Withdrawn", "") {
		t.Errorf("of the new key is told %q", told)
	}
}

// A document that an operator without a key published is signed, as the next one.
func TestAPIServerSignsWhatWasUnsigned(t *testing.T) {
	w := published(t)
	document := w.document()
	document.Signed = nil
	unsigned, err := json.Marshal(document)
	w.must(err)
	config := named[corev1.ConfigMap](w, "demo-bootstrap")
	delete(config.Data, "public-key")
	config.Data["bootstrap.json"] = string(unsigned)
	w.must(w.client.Update(t.Context(), config))
	w.must(w.client.Delete(t.Context(), named[corev1.Secret](w, "demo-signing")))
	w.network.Status.Bootstrap.PublicKey = ""
	w.must(w.client.Status().Update(t.Context(), w.network))
	w.told()

	w.later()
	if d := w.document(); d.Sequence != 3 || len(d.Seeds) != 1 {
		t.Errorf("published is %+v", d)
	}
	if told := w.told(); len(told) > 0 {
		t.Errorf("told is %q", told)
	}
}

// A document that was deleted or changed by hand comes back, newer than all before.
func TestAPIServerDocumentComesBack(t *testing.T) {
	w := published(t)
	w.must(w.client.Delete(t.Context(), named[corev1.ConfigMap](w, "demo-bootstrap")))
	w.settled()
	if d := w.document(); d.Sequence != 3 || len(d.Seeds) != 1 {
		t.Errorf("published after it was deleted is %+v", d)
	}
	config := named[corev1.ConfigMap](w, "demo-bootstrap")
	config.Data["bootstrap.json"] = "{}"
	w.must(w.client.Update(t.Context(), config))
	w.settled()
	if d := w.document(); d.Sequence != 4 || len(d.Seeds) != 1 {
		t.Errorf("published after it was changed is %+v", d)
	}
}

// A Secret that is somebody else's stays theirs.
func TestAPIServerSigningSecretOfAnother(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{})
	theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: "demo-signing"}, StringData: map[string]string{"a": "b"}}
	w.must(w.client.Create(t.Context(), theirs))
	w.settled()
	w.wantConditions("Available False InvalidSpec: the Secret demo-signing is there and is not of this PeerNetwork: delete it, or make the PeerNetwork under another name")
	if theirs = named[corev1.Secret](w, "demo-signing"); len(theirs.Data) != 1 || len(theirs.OwnerReferences) > 0 {
		t.Errorf("it is changed: %+v", theirs)
	}
}
