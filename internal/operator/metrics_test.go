package operator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/metrics"
)

// scraped is all values, by name and labels.
func scraped(t *testing.T, m *Metrics) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, family := range families {
		for _, one := range family.GetMetric() {
			name := family.GetName()
			for _, l := range one.GetLabel() {
				name += " " + l.GetValue()
				for _, m := range operatorMetrics {
					i := slices.IndexFunc(m.Labels, func(known metrics.Label) bool { return known.Name == l.GetName() })
					if m.Name == family.GetName() && len(m.Labels[i].Values) > 0 && !slices.Contains(m.Labels[i].Values, l.GetValue()) {
						t.Errorf("%s is not a documented value", name)
					}
				}
			}
			all[name] = one.GetGauge().GetValue() + one.GetCounter().GetValue()
		}
	}
	return all
}

func TestMetrics(t *testing.T) {
	m := NewMetrics()
	before := scraped(t, m)
	demo := types.NamespacedName{Namespace: "web", Name: "demo"}
	m.saw(demo, found{
		status: v1.PeerNetworkStatus{
			DesiredReplicas: 3, Replicas: 2, ReadyReplicas: 2, Peers: 9,
			Bootstrap:  &v1.BootstrapStatus{Sequence: 5},
			Conditions: []metav1.Condition{{Type: v1.ConditionAvailable, Status: metav1.ConditionTrue, Reason: v1.ReasonSeedsReachable}},
			Seeds: []v1.SeedStatus{
				{Ready: true, Reachable: true, Addresses: []string{"wss://a"}, Reason: v1.SeedReached},
				{Ready: true, Addresses: []string{"wss://b"}, Reason: v1.SeedDialFailed},
			},
		},
		certificate: time.Unix(1000, 0),
	})
	m.tried(v1.SeedTLSFailed)
	m.asked(true)
	m.asked(false)
	m.scaled(2, 3)
	m.scaled(3, 2)
	m.wrote("Secret")
	m.change(func() { m.published++ })
	got := scraped(t, m)
	for name, want := range map[string]float64{
		"operator_networks Available SeedsReachable":                     1,
		"operator_networks Available NoSeedReady":                        0,
		"operator_network_condition Available web demo":                  1,
		"operator_network_condition Published web demo":                  0,
		"operator_network_seeds web demo desired":                        3,
		"operator_network_seeds web demo existing":                       2,
		"operator_network_seeds web demo ready":                          2,
		"operator_network_seeds web demo published":                      1,
		"operator_network_peers web demo":                                9,
		"operator_network_document_sequence web demo":                    5,
		"operator_network_certificate_expiry_timestamp_seconds web demo": 1000,
		"operator_seeds Reached":                                         1,
		"operator_seeds DialFailed":                                      1,
		"operator_probes_total TLSFailed":                                1,
		"operator_status_requests_total answered":                        1,
		"operator_status_requests_total silent":                          1,
		"operator_scalings_total up":                                     1,
		"operator_scalings_total down":                                   1,
		"operator_publications_total":                                    1,
		"operator_api_writes_total Secret":                               1,
		"operator_api_writes_total StatefulSet":                          0,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s is %v (%v), want %v", name, value, ok, want)
		}
	}
	m.forget(demo)
	after := scraped(t, m)
	if len(after) != len(before) {
		t.Errorf("there are %d series after the network has gone, and were %d before it came", len(after), len(before))
	}
	var none *Metrics
	none.wrote("Secret") // does not panic
}

// constants are the texts of those of a file of the API whose names begin like this.
func constants(t *testing.T, name, prefix string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1/"+name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, prefix) {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
		return true
	})
	return slices.Sorted(slices.Values(all))
}

// No reason is missing in the metrics.
func TestEveryReasonIsCounted(t *testing.T) {
	for _, c := range []struct {
		file, prefix string
		have         []string
	}{
		{"conditions.go", "Reason", reasonNames},
		{"conditions.go", "Condition", conditionNames},
		{"status.go", "Seed", names(seedReasons)},
	} {
		if want := constants(t, c.file, c.prefix); !slices.Equal(want, slices.Sorted(slices.Values(c.have))) {
			t.Errorf("there are\n%q\nand metrics have\n%q", want, c.have)
		}
	}
}
