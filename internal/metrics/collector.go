package metrics

import "github.com/prometheus/client_golang/prometheus"

// Collector is a table of metrics as Prometheus takes them.
type Collector[S any] struct {
	metrics []Metric[S]
	descs   []*prometheus.Desc // of metrics
	scrape  func(read func(S))
}

// NewCollector collects metrics. Each scrape calls scrape, which calls read once with
// what the values are of at that moment; values are sent after it has returned, so it may
// hold a lock meanwhile.
func NewCollector[S any](metrics []Metric[S], scrape func(read func(S))) *Collector[S] {
	c := &Collector[S]{metrics: metrics, scrape: scrape}
	for _, m := range metrics {
		c.descs = append(c.descs, prometheus.NewDesc(m.Name, m.Help, m.labelNames(), nil))
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *Collector[S]) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Collector[S]) Collect(values chan<- prometheus.Metric) {
	var all []prometheus.Metric
	c.scrape(func(source S) {
		for i, m := range c.metrics {
			m.Read(source, func(value float64, labels ...string) {
				all = append(all, prometheus.MustNewConstMetric(c.descs[i], m.Kind, value, labels...))
			})
		}
	})
	for _, one := range all {
		values <- one
	}
}
