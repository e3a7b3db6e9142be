package seed

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peerexchange/peerexchange/test/generated"
)

//go:generate go test -count=1 -run ^TestGeneratedMetricsDocument$ . -update

func TestGeneratedMetricsDocument(t *testing.T) {
	generated.Part(t, "../../docs/metrics.md", "internal/seed/metrics.go", metricsTable(t))
}

func metricsTable(t *testing.T) string {
	registered := make(chan *prometheus.Desc, len(metrics))
	newCollector(nil).Describe(registered)
	close(registered)
	var b strings.Builder
	b.WriteString("\n| name | type | labels | |\n|---|---|---|---|\n")
	for _, m := range metrics {
		if desc := (<-registered).String(); !strings.Contains(desc, fmt.Sprintf("%q", m.name)) || !strings.Contains(desc, fmt.Sprintf("%q", m.help)) {
			t.Errorf("%s is registered as %s", m.name, desc)
		}
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
	b.WriteString("\nThe values of their labels:\n\n")
	for _, m := range metrics {
		for _, l := range m.labels {
			values := l.from
			if len(l.values) > 0 {
				values = "`" + strings.Join(l.values, "`, `") + "`"
			}
			fmt.Fprintf(&b, "- `%s`, `%s`: %s\n", m.name, l.name, values)
		}
	}
	return b.String() + "\n"
}
