package seed

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/peerexchange/peerexchange/internal/metrics"
	"github.com/peerexchange/peerexchange/internal/turn"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// reading is what the metrics of one scrape are made of: counters that the seed keeps
// anyway. It costs the same however many peers there are.
type reading struct {
	seed    *Seed
	stats   exchange.Stats
	refused map[string]uint64 // before the exchange saw them
	turn    turn.Stats        // of nothing if it is off
}

func (s *Seed) read() *reading {
	r := &reading{seed: s, stats: s.Stats(), refused: s.Refused()}
	if s.turn != nil {
		r.turn = s.turn.server.Stats()
	}
	return r
}

// registerMetrics adds the seed's metrics, those of the Go runtime, and those of
// the process where the system tells them.
func (s *Seed) registerMetrics() error {
	own := metrics.NewCollector(seedMetrics, func(read func(*reading)) { read(s.read()) })
	for _, c := range []prometheus.Collector{
		own, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := s.config.Registry.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}
