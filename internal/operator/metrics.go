package operator

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/metrics"
)

// ofNetwork are the labels that name a PeerNetwork.
var ofNetwork = []metrics.Label{{Name: "namespace"}, {Name: "network"}}

func with(more ...metrics.Label) []metrics.Label { return append(slices.Clip(ofNetwork), more...) }

// perNetwork tells one value of each network.
func perNetwork(value func(found) float64) func(*Metrics, metrics.Tell) {
	return func(m *Metrics, tell metrics.Tell) {
		for key, network := range m.networks {
			tell(value(network), key.Namespace, key.Name)
		}
	}
}

// operatorMetrics are the operator's own, in the order that the document has them in;
// `make generate` writes it. Who reads them holds mu.
var operatorMetrics = []metrics.Metric[*Metrics]{
	{
		Name: "operator_networks", Kind: prometheus.GaugeValue,
		Help:   "PeerNetworks, by the reason of each of their conditions; those of all reasons of one condition are all there are.",
		Labels: []metrics.Label{{Name: "condition", Values: conditionNames}, {Name: "reason", Values: reasonNames}},
		Read: func(m *Metrics, tell metrics.Tell) {
			counted := make(map[[2]string]int)
			for _, network := range m.networks {
				for _, c := range network.status.Conditions {
					counted[[2]string{c.Type, c.Reason}]++
				}
			}
			for _, one := range conditionReasons {
				for _, reason := range one.reasons {
					tell(float64(counted[[2]string{one.condition, reason}]), one.condition, reason)
				}
			}
		},
	},
	{
		Name: "operator_network_condition", Kind: prometheus.GaugeValue,
		Help:   "1 while the condition of the PeerNetwork is True, else 0.",
		Labels: with(metrics.Label{Name: "condition", Values: conditionNames}),
		Read: func(m *Metrics, tell metrics.Tell) {
			for key, network := range m.networks {
				for _, condition := range conditionNames {
					value := 0.0
					if meta.IsStatusConditionPresentAndEqual(network.status.Conditions, condition, metav1.ConditionTrue) {
						value = 1
					}
					tell(value, key.Namespace, key.Name, condition)
				}
			}
		},
	},
	{
		Name: "operator_network_seeds", Kind: prometheus.GaugeValue,
		Help:   "Seeds of the PeerNetwork: that there are to be, that exist, that take connections, and whose addresses are published.",
		Labels: with(metrics.Label{Name: "state", Values: []string{"desired", "existing", "ready", "published"}}),
		Read: func(m *Metrics, tell metrics.Tell) {
			for key, network := range m.networks {
				published := 0
				for _, seed := range network.status.Seeds {
					if seed.Published() {
						published++
					}
				}
				tell(float64(network.status.DesiredReplicas), key.Namespace, key.Name, "desired")
				tell(float64(network.status.Replicas), key.Namespace, key.Name, "existing")
				tell(float64(network.status.ReadyReplicas), key.Namespace, key.Name, "ready")
				tell(float64(published), key.Namespace, key.Name, "published")
			}
		},
	},
	{
		Name: "operator_network_peers", Kind: prometheus.GaugeValue,
		Help:   "Peers that are connected to all seeds of the PeerNetwork.",
		Labels: ofNetwork,
		Read:   perNetwork(func(f found) float64 { return float64(f.status.Peers) }),
	},
	{
		Name: "operator_network_document_sequence", Kind: prometheus.GaugeValue,
		Help:   "Sequence number of the PeerNetwork's bootstrap document; it grows when what is published changes.",
		Labels: ofNetwork,
		Read: perNetwork(func(f found) float64 {
			if f.status.Bootstrap == nil {
				return 0
			}
			return float64(f.status.Bootstrap.Sequence)
		}),
	},
	{
		Name: "operator_network_certificate_expiry_timestamp_seconds", Kind: prometheus.GaugeValue,
		Help:   "When the certificate of the PeerNetwork's seeds expires, in Unix time; missing while there is none.",
		Labels: ofNetwork,
		Read: func(m *Metrics, tell metrics.Tell) {
			for key, network := range m.networks {
				if !network.certificate.IsZero() {
					tell(float64(network.certificate.Unix()), key.Namespace, key.Name)
				}
			}
		},
	},
	{
		Name: "operator_seeds", Kind: prometheus.GaugeValue,
		Help:   "Seeds of all PeerNetworks, by why they are reached at their addresses or not.",
		Labels: []metrics.Label{{Name: "reason", Values: names(seedReasons)}},
		Read: func(m *Metrics, tell metrics.Tell) {
			counted := make(map[v1.SeedReason]int)
			for _, network := range m.networks {
				for _, seed := range network.status.Seeds {
					counted[seed.Reason]++
				}
			}
			for _, reason := range seedReasons {
				tell(float64(counted[reason]), string(reason))
			}
		},
	},
	{
		Name: "operator_probes_total", Kind: prometheus.CounterValue,
		Help:   "Tries to reach a seed at all of its addresses, by how they ended.",
		Labels: []metrics.Label{{Name: "reason", Values: names(probeReasons)}},
		Read: func(m *Metrics, tell metrics.Tell) {
			for _, reason := range probeReasons {
				tell(float64(m.probes[reason]), string(reason))
			}
		},
	},
	{
		Name: "operator_status_requests_total", Kind: prometheus.CounterValue,
		Help:   "Requests for the status of a seed at its private port, by whether it answered.",
		Labels: []metrics.Label{{Name: "result", Values: []string{"answered", "silent"}}},
		Read: func(m *Metrics, tell metrics.Tell) {
			tell(float64(m.answered), "answered")
			tell(float64(m.silent), "silent")
		},
	},
	{
		Name: "operator_scalings_total", Kind: prometheus.CounterValue,
		Help:   "Decisions that a PeerNetwork is to have more seeds, or fewer, by spec.replicas or autoscaling.",
		Labels: []metrics.Label{{Name: "direction", Values: []string{"up", "down"}}},
		Read: func(m *Metrics, tell metrics.Tell) {
			tell(float64(m.scaledUp), "up")
			tell(float64(m.scaledDown), "down")
		},
	},
	{
		Name: "operator_publications_total", Kind: prometheus.CounterValue,
		Help: "Bootstrap documents that were published with a new sequence number.",
		Read: func(m *Metrics, tell metrics.Tell) { tell(float64(m.published)) },
	},
	{
		Name: "operator_api_writes_total", Kind: prometheus.CounterValue,
		Help:   "Objects that the operator wrote or deleted, by their kind; a PeerNetwork's is its status. It stands still while nothing changes.",
		Labels: []metrics.Label{{Name: "kind", Values: writtenKinds}},
		Read: func(m *Metrics, tell metrics.Tell) {
			for _, kind := range writtenKinds {
				tell(float64(m.writes[kind]), kind)
			}
		},
	},
}
