package operator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peerexchange/peerexchange/test/generated"
)

//go:generate go test -count=1 -run ^TestGeneratedMetricsDocument$ . -update

func TestGeneratedMetricsDocument(t *testing.T) {
	generated.Part(t, "../../docs/metrics.md", "internal/operator/metrics.go", metricsTable())
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
