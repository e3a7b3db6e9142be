package resources

import (
	"encoding/json"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/test/generated"
)

// podSpec is a seed's as the API server gets it.
func podSpec(t *testing.T, n *v1.PeerNetwork) corev1.PodSpec {
	t.Helper()
	encoded, err := json.Marshal(StatefulSet(n, settings, 1, nil).Spec.Template.Spec)
	if err != nil {
		t.Fatal(err)
	}
	var spec corev1.PodSpec
	if err := json.Unmarshal(encoded, &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestPodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range networks(t) {
		spec := podSpec(t, n)
		var broken []string
		for _, result := range evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &metav1.ObjectMeta{}, &spec) {
			if !result.Allowed {
				broken = append(broken, result.ForbiddenReason)
			}
		}
		var want []string
		if n.Spec.Exposure.Type == v1.ExposeHostPort {
			want = []string{"hostPort"}
		}
		if !slices.Equal(broken, want) {
			t.Errorf("%s: pods are refused for %q, want for %q", name, broken, want)
		}
	}
}

// What seeds take over by themselves, and what is not theirs, restarts none of them.
func TestChangesThatRestartNothing(t *testing.T) {
	template := func(n *v1.PeerNetwork) string {
		encoded, err := json.Marshal(StatefulSet(n, settings, n.Spec.Replicas, nil).Spec.Template)
		if err != nil {
			t.Fatal(err)
		}
		return string(encoded)
	}
	off := false
	for what, change := range map[string]func(*v1.PeerNetworkSpec){
		"replicas":           func(s *v1.PeerNetworkSpec) { s.Replicas = 9 },
		"autoscaling":        func(s *v1.PeerNetworkSpec) { s.Autoscaling = &v1.Autoscaling{MaxReplicas: 9} },
		"exposure":           func(s *v1.PeerNetworkSpec) { s.Exposure = v1.Exposure{Type: v1.ExposeLoadBalancer, Port: 8443} },
		"domain":             func(s *v1.PeerNetworkSpec) { s.Exposure.Domain = "seeds.example.org" },
		"order of addresses": func(s *v1.PeerNetworkSpec) { slices.Reverse(s.Transports) },
		"issuer":             func(s *v1.PeerNetworkSpec) { s.TLS.Issuer = &v1.IssuerReference{Name: "letsencrypt"} },
		"rotation":           func(s *v1.PeerNetworkSpec) { s.TURN.SecretRotationSeconds = 86400 },
		"network policy":     func(s *v1.PeerNetworkSpec) { s.NetworkPolicy.Enabled = &off },
	} {
		n := networks(t)["minimal"]
		before := template(n)
		change(&n.Spec)
		if after := template(n); after != before {
			t.Errorf("a change of %s restarts the seeds: %s", what, generated.Difference(before, after))
		}
	}
}

func TestArgumentsAreLiteral(t *testing.T) {
	n := networks(t)["hostport"]
	if got := args(n, settings, nil)[0]; got != "--network-id=$$(HOSTNAME), a name with a $$" {
		t.Errorf("the first argument is %q", got)
	}
}

// With TURN off, what the spec says of it is for when it is on again.
func TestTURNOff(t *testing.T) {
	n := networks(t)["hostport"]
	off := false
	n.Spec.TURN = v1.TURN{Enabled: &off}
	want := podSpec(t, n)
	n.Spec.TURN = networks(t)["hostport"].Spec.TURN
	if n.Spec.TURN.RelayPorts == nil {
		t.Fatal("the network has no ports for relayed connections")
	}
	n.Spec.TURN.Enabled = &off
	if got := podSpec(t, n); !reflect.DeepEqual(got, want) {
		t.Errorf("pods are\n%+v\nwant\n%+v", got, want)
	}
}

func TestGracePeriodOutlastsTheDrain(t *testing.T) {
	n := networks(t)["hostport"]
	spec := podSpec(t, n)
	sleep := spec.Containers[0].Lifecycle.PreStop.Sleep.Seconds
	if got, least := *spec.TerminationGracePeriodSeconds, sleep+int64(*n.Spec.DrainSeconds); got <= least {
		t.Errorf("a seed is killed after %d s, and may drain until %d s", got, least)
	}
	if !slices.Contains(spec.Containers[0].Args, "--drain-timeout=5m0s") {
		t.Errorf("the seed is told %q", spec.Containers[0].Args)
	}
}

// A seed takes no zero, which would be its default.
func TestDrainOfNoTime(t *testing.T) {
	n := networks(t)["hostport"]
	n.Spec.DrainSeconds = new(int32)
	if told := podSpec(t, n).Containers[0].Args; !slices.Contains(told, "--drain-timeout=1ms") {
		t.Errorf("the seed is told %q", told)
	}
}

// A network of all addresses cannot be an exception of itself.
func TestNetworkPolicyWithoutInternet(t *testing.T) {
	n := networks(t)["minimal"]
	policy := NetworkPolicy(n, settings, []netip.Prefix{netip.MustParsePrefix("::/0"), netip.MustParsePrefix("10.0.0.0/8")})
	encoded, err := json.Marshal(policy.Spec.Egress[0])
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(encoded), `{"to":[{"ipBlock":{"cidr":"0.0.0.0/0","except":["10.0.0.0/8"]}}]}`; got != want {
		t.Errorf("seeds reach %s, want %s", got, want)
	}
}

func TestOrdinal(t *testing.T) {
	n := networks(t)["minimal"]
	for name, want := range map[string]int32{"demo-seed-0": 0, "demo-seed-12": 12} {
		if got, ok := Ordinal(n, name); !ok || got != want {
			t.Errorf("%s has the number %d, %v", name, got, ok)
		}
	}
	for _, name := range []string{"demo-seed", "demo-seed-", "demo-seed-01", "demo-seed--1", "demo-seed-+1", "demo-seed-0-udp", "other-seed-0", "demo-seed-99999999999"} {
		if got, ok := Ordinal(n, name); ok {
			t.Errorf("%s has the number %d", name, got)
		}
	}
}

// Services and pods have names of at most 63 characters.
func TestLongestNames(t *testing.T) {
	n := networks(t)["loadbalancer"]
	n.Name = strings.Repeat("n", 40)
	for _, name := range []string{SeedUDPName(n, 63), BootstrapName(n), SeedsName(n) + "-0123456789"} {
		if len(name) > 63 {
			t.Errorf("%s has %d characters", name, len(name))
		}
	}
}

// The image is of Linux, but who has one for another system may run that.
func TestNodesRunLinux(t *testing.T) {
	for _, test := range []struct{ asked, want map[string]string }{
		{nil, map[string]string{"kubernetes.io/os": "linux"}},
		{map[string]string{"pool": "edge"}, map[string]string{"kubernetes.io/os": "linux", "pool": "edge"}},
		{map[string]string{"kubernetes.io/os": "other"}, map[string]string{"kubernetes.io/os": "other"}},
	} {
		n := networks(t)["minimal"]
		n.Spec.Pod.NodeSelector = test.asked
		if got := podSpec(t, n).NodeSelector; !maps.Equal(got, test.want) {
			t.Errorf("with %v nodes have to have %v, want %v", test.asked, got, test.want)
		}
	}
}
