package seed

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// collector is the seed's metrics as Prometheus takes them. A scrape reads the
// counters that the seed keeps anyway, and costs the same however many peers
// there are.
type collector struct {
	seed  *Seed
	descs []*prometheus.Desc // of metrics
}

func newCollector(s *Seed) *collector {
	c := &collector{seed: s}
	for _, m := range metrics {
		var names []string
		for _, l := range m.labels {
			names = append(names, l.name)
		}
		c.descs = append(c.descs, prometheus.NewDesc(m.name, m.help, names, nil))
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(values chan<- prometheus.Metric) {
	r := c.seed.read()
	for i, m := range metrics {
		m.read(r, func(value float64, labels ...string) {
			values <- prometheus.MustNewConstMetric(c.descs[i], m.kind, value, labels...)
		})
	}
}

// registerMetrics adds the seed's metrics, those of the Go runtime, and those of
// the process where the system tells them.
func (s *Seed) registerMetrics() error {
	for _, c := range []prometheus.Collector{
		newCollector(s), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := s.config.Registry.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}
