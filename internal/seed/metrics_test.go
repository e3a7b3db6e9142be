package seed

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/peerexchange/peerexchange/internal/metrics"
	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// gather returns every value of the seed's own metrics, under its name and the
// values of its labels, such as "seed_peers tcp v0".
func gather(t *testing.T, s *testSeed) map[string]float64 {
	t.Helper()
	families, err := s.config.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, family := range families {
		i := slices.IndexFunc(seedMetrics, func(m metrics.Metric[*reading]) bool { return m.Name == family.GetName() })
		if i < 0 {
			continue
		}
		for _, m := range family.GetMetric() {
			key := family.GetName()
			for _, l := range seedMetrics[i].Labels {
				for _, pair := range m.GetLabel() {
					if pair.GetName() == l.Name {
						key += " " + pair.GetValue()
					}
				}
			}
			got[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return got
}

func TestMetricsCountWhatHappens(t *testing.T) {
	ctx := testContext(t)
	registry := prometheus.NewRegistry()
	s, _ := startAdministered(t, func(c *Config) { c.Registry = registry })
	startIntroduction(ctx, t, s)
	s.connectAs(t, exchange.V1, transports.TCP)
	s.await(ctx, t, 3)
	_, err := newStranger(t).Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: s.plain})
	if err == nil {
		t.Fatal("a node of another network connected")
	}
	s.entrance.refusals.add(refusedTLS, "192.0.2.1")
	want := map[string]float64{
		"seed_peers websocket v0":                   2,
		"seed_peers tcp v1":                         1,
		"seed_peers webrtc v0":                      0,
		"seed_pending_connections":                  0,
		"seed_connections_total":                    4,
		"seed_handshakes_total":                     3,
		"seed_handshake_failures_total network":     1,
		"seed_handshake_failures_total tls":         1,
		"seed_refusals_total network":               1,
		"seed_refusals_total tls":                   1,
		"seed_refusals_total peers":                 0,
		"seed_getpeer_answers_total relayed":        1,
		"seed_signaling_relays_open":                1,
		"seed_signaling_relays_opened_total":        1,
		"seed_draining":                             0,
		"seed_certificate_expiry_timestamp_seconds": float64(s.certificate.leaf().NotAfter.Unix()),
	}
	// The seed counts the stranger when that is gone, which is a moment later.
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		got := gather(t, s)
		wrong := ""
		for name, want := range want {
			if value, has := got[name]; !has || value != want {
				wrong += fmt.Sprintf("%s is %v, %v, want %v\n", name, value, has, want)
			}
		}
		if wrong == "" {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatal(wrong)
		}
	}
}

// newStranger is a node of another network.
func newStranger(t *testing.T) *exchange.Exchange {
	t.Helper()
	ex, err := exchange.New("another", exchange.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ex.Close() })
	return ex
}

// TestLabelsAreFromFixedSets has the seed hear all kinds of things, and nothing
// of them become a time series.
func TestLabelsAreFromFixedSets(t *testing.T) {
	s, _ := startAdministered(t)
	before := slices.Sorted(maps.Keys(gather(t, s)))
	s.connectAs(t, exchange.V0, transports.WebSocket)
	s.connectAs(t, exchange.V1, transports.TCP)
	s.await(testContext(t), t, 2)
	newStranger(t).Connect(testContext(t), transports.TCP, "127.0.0.1", transports.Options{Port: s.plain})
	for _, reason := range refusalReasons {
		s.entrance.refusals.add(reason, "192.0.2.1")
	}
	if after := slices.Sorted(maps.Keys(gather(t, s))); !slices.Equal(before, after) {
		t.Errorf("there were %v, and now there are %v", before, after)
	}
	var want []string
	for _, m := range seedMetrics {
		keys := []string{m.Name}
		for _, l := range m.Labels {
			var longer []string
			for _, key := range keys {
				for _, value := range l.Values {
					longer = append(longer, key+" "+value)
				}
			}
			keys = longer
		}
		want = append(want, keys...)
	}
	slices.Sort(want)
	before = slices.DeleteFunc(before, func(key string) bool { return strings.HasPrefix(key, "seed_build_info ") })
	if !slices.Equal(before, want) {
		t.Errorf("there are %v, and documented are %v", before, want)
	}
}

func TestMetricsAreWellFormed(t *testing.T) {
	s, o := startAdministered(t)
	problems, err := testutil.GatherAndLint(s.config.Registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "go_") { // its names are not the seed's
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	res, body := o.do("GET", "/metrics")
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("content type is %q", res.Header.Get("Content-Type"))
	}
	for _, m := range seedMetrics {
		if !strings.Contains(body, "# HELP "+m.Name+" "+m.Help+"\n") {
			t.Errorf("%s is not served with its help", m.Name)
		}
		if suffix := strings.HasSuffix(m.Name, "_total"); suffix != (m.Kind == prometheus.CounterValue) {
			t.Errorf("%s: a counter's name, and no other, ends in _total", m.Name)
		}
	}
	for _, name := range []string{"go_goroutines", "process_start_time_seconds", "process_open_fds"} {
		if !strings.Contains(body, "\n"+name+" ") {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestRegistryThatHasTheMetricsAlready(t *testing.T) {
	cfg := testConfig(t)
	cfg.Registry = prometheus.NewRegistry()
	first, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if second, err := New(t.Context(), cfg); err == nil {
		second.Close()
		t.Error("two seeds have one registry")
	} else if !strings.Contains(err.Error(), "register metrics") {
		t.Errorf("error is %q", err)
	}
}

// TestRefusalReasonsAreComplete reads the code for the reasons that there are.
func TestRefusalReasonsAreComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "refusals.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "refused") {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			reason, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Error(err)
			}
			want = append(want, reason)
		}
		return true
	})
	if len(want) == 0 || !slices.Equal(refusalReasons, want) {
		t.Errorf("refusalReasons has %q, and the constants are %q", refusalReasons, want)
	}
}
