// Package metrics serves the tables of metrics that a program has to Prometheus, and
// writes what docs/metrics.md says about them.
package metrics
