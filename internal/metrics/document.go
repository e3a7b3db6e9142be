package metrics

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Table is the Markdown table of metrics.
func Table[S any](metrics []Metric[S]) string {
	var b strings.Builder
	b.WriteString("| name | type | labels | |\n|---|---|---|---|\n")
	for _, m := range metrics {
		kind := "gauge"
		if m.Kind == prometheus.CounterValue {
			kind = "counter"
		}
		var labels []string
		for _, name := range m.labelNames() {
			labels = append(labels, "`"+name+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, kind, strings.Join(labels, ", "), m.Help)
	}
	return b.String()
}

// Values is the Markdown list of the values that labels have.
func Values[S any](metrics []Metric[S]) string {
	var b strings.Builder
	for _, m := range metrics {
		for _, l := range m.Labels {
			values := l.From
			if len(l.Values) > 0 {
				values = "`" + strings.Join(l.Values, "`, `") + "`"
			}
			if values != "" {
				fmt.Fprintf(&b, "- `%s`, `%s`: %s\n", m.Name, l.Name, values)
			}
		}
	}
	return b.String()
}
