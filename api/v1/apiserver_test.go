//go:build apiserver

package v1_test

import (
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/peerexchange/peerexchange/test/kube"
)

// A person's way with a PeerNetwork, by kubectl and a real API server. The rules
// are tested in rules_test.go; here it is that a server takes the definition, and
// what it makes of it.
func TestAPIServer(t *testing.T) {
	server, err := kube.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	kubectl := func(input string, args ...string) string {
		t.Helper()
		output, err := server.Kubectl(input, args...)
		if err != nil {
			t.Fatalf("kubectl %s: %v: %s", strings.Join(args, " "), err, output)
		}
		return output
	}
	refused := func(want, input string, args ...string) {
		t.Helper()
		if output, err := server.Kubectl(input, args...); err == nil || !strings.Contains(output, want) {
			t.Errorf("kubectl %s: %v: %q does not say %q", strings.Join(args, " "), err, output, want)
		}
	}
	for _, c := range accepted {
		network := change(t, c)
		document, err := yaml.Marshal(network)
		if err != nil {
			t.Fatal(err)
		}
		kubectl(string(document), "apply", "--dry-run=server", "-f", "-")
	}

	kubectl(minimal, "apply", "--server-side", "-f", "-")
	kubectl("", "patch", "pn/demo", "--subresource=status", "--type=merge", "-p",
		`{"status":{"desiredReplicas":2,"replicas":2,"readyReplicas":1,"peers":7,"address":"wss://0.seeds.example.org:443","selector":"app=seed"}}`)
	table := kubectl("", "get", "pn")
	for _, want := range []string{`NAME +NETWORK +READY +DESIRED +PEERS +ADDRESS +AVAILABLE +AGE`, `demo +demo +1 +2 +7 +wss://0.seeds.example.org:443`} {
		if !regexp.MustCompile(want).MatchString(table) {
			t.Errorf("kubectl get pn says\n%sand not %q", table, want)
		}
	}

	kubectl("", "scale", "pn/demo", "--replicas=5")
	if got := kubectl("", "get", "pn/demo", "--subresource=scale", "-o", "jsonpath={.spec.replicas} {.status.replicas} {.status.selector}"); got != "5 2 app=seed" {
		t.Errorf("the scale is %q", got)
	}
	refused("less than or equal to 64", "", "scale", "pn/demo", "--replicas=101")
	kubectl("", "patch", "pn/demo", "--type=merge", "-p", `{"spec":{"autoscaling":{"maxReplicas":4}}}`)
	refused("replicas has no effect with autoscaling", "", "scale", "pn/demo", "--replicas=3")
	refused("networkID cannot be changed", "", "patch", "pn/demo", "--type=merge", "-p", `{"spec":{"networkID":"other"}}`)

	for path, want := range map[string]string{
		"pn":                               "bootstrap cluster",
		"pn.spec.networkID":                "cannot be changed",
		"pn.spec.exposure.type":            "LoadBalancer",
		"pn.spec.limits.peersPerIP":        "unlimited",
		"pn.spec.autoscaling.peersPerSeed": "Default 1000",
		"pn.status.seeds.reason":           "one word",
	} {
		if explanation := kubectl("", "explain", path); !strings.Contains(strings.Join(strings.Fields(explanation), " "), want) {
			t.Errorf("kubectl explain %s says %q, and not %q", path, explanation, want)
		}
	}
}
