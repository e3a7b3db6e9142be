package operator

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

//go:generate go test -count=1 -run ^TestGeneratedMetricsDocument$ . -update

var update = flag.Bool("update", false, "write generated documents instead of comparing them")

// The part of docs/metrics.md between these lines is made from the metrics that are
// registered.
const (
	metricsDocument = "../../docs/metrics.md"
	generatedBegin  = "<!-- Made by `make generate` from internal/operator/metrics.go. -->\n"
	generatedEnd    = "<!-- End of what is made of the operator's. -->\n"
)

func TestGeneratedMetricsDocument(t *testing.T) {
	content, err := os.ReadFile(metricsDocument)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(content), generatedBegin)
	_, after, ends := strings.Cut(rest, generatedEnd)
	if !begins || !ends {
		t.Fatalf("%s has no place for what is generated", metricsDocument)
	}
	want := before + generatedBegin + metricsTable() + generatedEnd + after
	if want == string(content) {
		return
	}
	if !*update {
		t.Fatalf("%s is not up to date: run `make generate`", metricsDocument)
	}
	if err := os.WriteFile(metricsDocument, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func metricsTable() string {
	var b strings.Builder
	b.WriteString("\n| name | type | labels | |\n|---|---|---|---|\n")
	for _, m := range operatorMetrics {
		kind := "gauge"
		if m.kind == prometheus.CounterValue {
			kind = "counter"
		}
		var labels []string
		for _, l := range m.labels {
			labels = append(labels, "`"+l.name+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, kind, strings.Join(labels, ", "), m.help)
	}
	b.WriteString("\nThe values of their labels, besides `namespace` and `network`, which name a PeerNetwork:\n\n")
	for _, m := range operatorMetrics {
		for _, l := range m.labels {
			if len(l.values) > 0 {
				fmt.Fprintf(&b, "- `%s`, `%s`: `%s`\n", m.name, l.name, strings.Join(l.values, "`, `"))
			}
		}
	}
	return b.String() + "\n"
}
