package helm

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	_ "sigs.k8s.io/controller-runtime/pkg/controller" // has its metrics be registered
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// dashboard is what matters here of one.
type dashboard struct {
	Panels []struct {
		ID      int
		Title   string
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ Expr, LegendFormat string }
	}
	Templating struct {
		List []struct{ Query string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	content, err := os.ReadFile("peer-exchange/files/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// queries are all of the dashboard.
func (d dashboard) queries() []string {
	var all []string
	for _, variable := range d.Templating.List {
		if strings.HasPrefix(variable.Query, "label_values(") {
			all = append(all, variable.Query)
		}
	}
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			all = append(all, target.Expr)
		}
	}
	return all
}

var (
	// metricName is one in a query: its functions, labels and numbers have no underscore
	// before what the name ends with.
	metricName = regexp.MustCompile(`\b(?:seed|operator|controller_runtime|workqueue|rest_client|process|go)_[a-z_]+`)
	// matcher is a label that is to have some values, or not.
	matcher = regexp.MustCompile(`\b([a-z]+)(?:=~|!=|=)"([^"$]+)"`)
	// metricAlone is what a query is without what is not of a metric's name.
	metricAlone = regexp.MustCompile(`\{[^}]*\}|"[^"]*"|\[[^]]*\]|\b(?:by|without) \([^)]*\)`)
)

// The dashboard asks for metrics that seeds and the operator have, and for values that
// their labels may have.
func TestDashboardAsksForWhatThereIs(t *testing.T) {
	documented, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	others := otherMetrics(t)
	asked := 0
	for _, query := range readDashboard(t).queries() {
		names := metricName.FindAllString(metricAlone.ReplaceAllString(query, ""), -1)
		if len(names) == 0 {
			t.Errorf("no metric is known in %s", query)
		}
		for _, name := range names {
			asked++
			own := strings.HasPrefix(name, "seed_") || strings.HasPrefix(name, "operator_")
			if own && !strings.Contains(string(documented), "| `"+name+"` |") {
				t.Errorf("%s is not in docs/metrics.md", name)
			}
			if !own && !others[strings.TrimSuffix(name, "_bucket")] {
				t.Errorf("%s is no metric of controller-runtime, the Go runtime or the process", name)
			}
			if !own {
				continue
			}
			for _, label := range matcher.FindAllStringSubmatch(query, -1) {
				for value := range strings.SplitSeq(label[2], "|") {
					if !hasValue(string(documented), name, label[1], value) {
						t.Errorf("the label %s of %s is never %s", label[1], name, value)
					}
				}
			}
		}
	}
	if asked < 20 {
		t.Errorf("the dashboard asks for %d metrics", asked)
	}
}

// hasValue tells whether the document has a value of a label of a metric.
func hasValue(documented, metric, label, value string) bool {
	for line := range strings.Lines(documented) {
		if values, is := strings.CutPrefix(line, "- `"+metric+"`, `"+label+"`: "); is {
			return strings.Contains(values, "`"+value+"`")
		}
	}
	return false
}

// otherMetrics are those that are not made here: of controller-runtime, the Go runtime
// and the process.
func otherMetrics(t *testing.T) map[string]bool {
	t.Helper()
	runtime, ok := metrics.Registry.(prometheus.Collector)
	if !ok {
		t.Fatal("controller-runtime does not describe its metrics")
	}
	described := make(chan *prometheus.Desc)
	go func() {
		defer close(described)
		for _, c := range []prometheus.Collector{runtime, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
			c.Describe(described)
		}
	}()
	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	all := make(map[string]bool)
	for description := range described {
		all[name.FindStringSubmatch(description.String())[1]] = true
	}
	return all
}

// Panels have a number and a place each of their own, and a title.
func TestDashboardPanels(t *testing.T) {
	type place struct{ x, y int }
	places, ids := make(map[place]string), make(map[int]string)
	for _, p := range readDashboard(t).Panels {
		if p.Title == "" || len(p.Targets) == 0 || p.GridPos.W != 12 || p.GridPos.H != 8 || p.GridPos.X%12 != 0 || p.GridPos.Y%8 != 0 {
			t.Errorf("a panel is %+v", p)
		}
		at := place{p.GridPos.X, p.GridPos.Y}
		if other := places[at] + ids[p.ID]; other != "" {
			t.Errorf("%q has the place or the number of %q", p.Title, other)
		}
		places[at], ids[p.ID] = p.Title, p.Title
	}
}
