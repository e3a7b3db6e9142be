package metrics

import "github.com/prometheus/client_golang/prometheus"

// Metric is one of a program's own, which is read from an S.
type Metric[S any] struct {
	Name, Help string
	Kind       prometheus.ValueType
	Labels     []Label
	// Read tells the values.
	Read func(source S, tell Tell)
}

// Tell takes one value of a metric, with one value for each of its labels.
type Tell func(value float64, labels ...string)

// Label is one by which a metric's values are told apart. Its values are from a fixed
// set, so that nothing that strangers send makes a time series.
type Label struct {
	Name   string
	Values []string
	From   string // what the values are where they depend on the program; empty where they need no words
}

func (m Metric[S]) labelNames() []string {
	var names []string
	for _, l := range m.Labels {
		names = append(names, l.Name)
	}
	return names
}
