//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// PeerNetworks that cannot be done say why, and the one beside them is none the worse.
func TestBroken(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	good := s.network("good", `{exposure: {type: NodePort}, drainSeconds: 5}`)
	_, _, talk := good.pair()
	before := good.published()

	t.Run("Secret", func(t *testing.T) {
		const example = "examples/kubernetes/members.yaml"
		content, err := os.ReadFile(filepath.Join(kind.Root(), example))
		if err != nil {
			t.Fatal(err)
		}
		_, withoutSecret, _ := strings.Cut(string(content), "\n---\n")
		n := &network{space: s, name: "members", id: "my-members"}
		n.apply(withoutSecret)
		p := n.await("it says which Secret is missing", func(p *v1.PeerNetwork) bool { return holds(p, v1.ConditionAvailable, v1.ReasonSecretMissing) })
		says(t, p, v1.ConditionAvailable, "members")
		says(t, p, v1.ConditionPublished, "members")
		n.kubectl("apply", "-f", example)
		n.settled()
		n.documentServed()
		token := n.file("token", []byte("replace-this-token-with-your-own\n"))
		t.Logf("%s", n.run("go", "run", "./cmd/seed", "check", n.addresses("wss")[0], "--network-id", n.id, "--ca", n.caFile(), "--token-file", token))
	})
	t.Run("Image", func(t *testing.T) {
		n := s.applyNetwork("image", `{exposure: {type: NodePort}, replicas: 1, pod: {image: "localhost/no-such-image:1"}}`)
		p := n.await("it says what keeps the seed", func(p *v1.PeerNetwork) bool {
			return holds(p, v1.ConditionAvailable, v1.ReasonNoSeedReady) && len(p.Status.Seeds) == 1 && strings.Contains(p.Status.Seeds[0].Message, "Image")
		})
		says(t, p, v1.ConditionPublished, "")
		if p.Status.Seeds[0].Reason != v1.SeedPending {
			t.Errorf("the seed is %s", p.Status.Seeds[0].Reason)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), stepTime)
		defer cancel()
		err := kind.Apply(ctx, s.namespace, `{"apiVersion": "peerexchange.dev/v1", "kind": "PeerNetwork", "metadata": {"name": "refused"},
			"spec": {"networkID": "x", "autoscaling": {"minReplicas": 5, "maxReplicas": 3}}}`)
		if err == nil || !strings.Contains(err.Error(), "autoscaling.minReplicas is above autoscaling.maxReplicas") {
			t.Errorf("applying it says %v", err)
		}
	})

	talk.goesOn()
	good.settled()
	// The document's number may have grown: on a busy machine a seed is not reached in time, and
	// published again later.
	after := good.published()
	for _, key := range []string{"addresses", "ca.crt"} {
		if before[key] == "" || after[key] != before[key] {
			t.Errorf("%s of the good one was\n%s\nand is\n%s", key, before[key], after[key])
		}
	}
	good.reachable(2)
}

// says sees that a condition is not true, and that its message has a text.
func says(t *testing.T, p *v1.PeerNetwork, condition, text string) {
	t.Helper()
	found := meta.FindStatusCondition(p.Status.Conditions, condition)
	if found == nil || found.Status != "False" || found.Message == "" || !strings.Contains(found.Message, text) {
		t.Errorf("%s is %+v, want False with a message about %q", condition, found, text)
	}
}
