package operator

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/metrics"
)

// Metrics are what the operator counts, and how it found each network last.
type Metrics struct {
	prometheus.Collector // of operatorMetrics

	mu sync.Mutex
	// Guarded by mu.
	networks                        map[types.NamespacedName]found
	probes                          map[v1.SeedReason]uint64
	answered, silent                uint64
	scaledUp, scaledDown, published uint64
	writes                          map[string]uint64
}

// found is a network as it was found.
type found struct {
	status      v1.PeerNetworkStatus
	certificate time.Time // when it expires; zero is not known
}

// NewMetrics returns metrics of nothing.
func NewMetrics() *Metrics {
	m := &Metrics{
		networks: make(map[types.NamespacedName]found),
		probes:   make(map[v1.SeedReason]uint64),
		writes:   make(map[string]uint64),
	}
	m.Collector = metrics.NewCollector(operatorMetrics, func(read func(*Metrics)) {
		m.mu.Lock()
		defer m.mu.Unlock()
		read(m)
	})
	return m
}

// change counts something. Nil counts nothing.
func (m *Metrics) change(change func()) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (m *Metrics) saw(network types.NamespacedName, as found) {
	m.change(func() { m.networks[network] = as })
}

func (m *Metrics) forget(network types.NamespacedName) {
	m.change(func() { delete(m.networks, network) })
}

func (m *Metrics) wrote(kind string) { m.change(func() { m.writes[kind]++ }) }

func (m *Metrics) tried(reason v1.SeedReason) { m.change(func() { m.probes[reason]++ }) }

func (m *Metrics) asked(answered bool) {
	m.change(func() {
		if answered {
			m.answered++
		} else {
			m.silent++
		}
	})
}

func (m *Metrics) scaled(from, to int32) {
	m.change(func() {
		if to > from {
			m.scaledUp++
		} else {
			m.scaledDown++
		}
	})
}
