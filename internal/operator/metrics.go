package operator

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// metric is one of the operator's own. docs/metrics.md is made of these; `make
// generate` writes it.
type metric struct {
	name, help string
	kind       prometheus.ValueType
	labels     []label
	// read tells the values, each with one value for every label. The caller holds mu.
	read func(m *Metrics, tell func(value float64, labels ...string))
}

// label is one by which a metric's values are told apart. Its values are from a fixed
// set, but for those that name a PeerNetwork.
type label struct {
	name   string
	values []string
	from   string // what the values are, where they depend on the cluster
}

// Metrics are what the operator counts, and how it found each network last.
type Metrics struct {
	descs []*prometheus.Desc // of metrics

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
	for _, one := range operatorMetrics {
		var names []string
		for _, l := range one.labels {
			names = append(names, l.name)
		}
		m.descs = append(m.descs, prometheus.NewDesc(one.name, one.help, names, nil))
	}
	return m
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range m.descs {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(values chan<- prometheus.Metric) {
	var all []prometheus.Metric
	m.mu.Lock()
	for i, one := range operatorMetrics {
		one.read(m, func(value float64, labels ...string) {
			all = append(all, prometheus.MustNewConstMetric(m.descs[i], one.kind, value, labels...))
		})
	}
	m.mu.Unlock()
	for _, one := range all {
		values <- one
	}
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

// conditionReasons are all reasons of each condition.
var conditionReasons = []struct {
	condition string
	reasons   []string
}{
	{v1.ConditionAvailable, []string{v1.ReasonSeedsReachable, v1.ReasonInvalidSpec, v1.ReasonSecretMissing, v1.ReasonNoSeedReady, v1.ReasonNoSeedReachable, v1.ReasonReconcileFailed}},
	{v1.ConditionProgressing, []string{
		v1.ReasonCreating, v1.ReasonRollingOut, v1.ReasonScalingUp, v1.ReasonScalingDown, v1.ReasonComplete,
		v1.ReasonInvalidSpec, v1.ReasonSecretMissing, v1.ReasonStalled, v1.ReasonReconcileFailed,
	}},
	{v1.ConditionPublished, []string{
		v1.ReasonAllSeedsPublished, v1.ReasonSeedsWithheld, v1.ReasonAddressesPending, v1.ReasonNothingToPublish,
		v1.ReasonInvalidSpec, v1.ReasonSecretMissing, v1.ReasonReconcileFailed,
	}},
	{v1.ConditionCertificateReady, []string{
		v1.ReasonSelfSigned, v1.ReasonIssued, v1.ReasonProvided, v1.ReasonSecretMissing, v1.ReasonSecretInvalid, v1.ReasonCertificateExpired,
		v1.ReasonNamesMissing, v1.ReasonCertManagerMissing, v1.ReasonIssuing, v1.ReasonInvalidSpec, v1.ReasonReconcileFailed,
	}},
}

// seedReasons are all reasons of seeds.
var seedReasons = []v1.SeedReason{
	v1.SeedReached, v1.SeedPending, v1.SeedDraining, v1.SeedNoAddress, v1.SeedNotProbed,
	v1.SeedResolveFailed, v1.SeedDialFailed, v1.SeedTLSFailed, v1.SeedHandshakeFailed, v1.SeedSTUNFailed,
}

// probeReasons are those that a try to reach a seed may have.
var probeReasons = []v1.SeedReason{
	v1.SeedReached, v1.SeedResolveFailed, v1.SeedDialFailed, v1.SeedTLSFailed, v1.SeedHandshakeFailed, v1.SeedSTUNFailed,
}

// writtenKinds are what the operator writes.
var writtenKinds = []string{
	"Certificate", "ConfigMap", "NetworkPolicy", "PeerNetwork", "Pod", "PodDisruptionBudget", "Secret", "Service", "ServiceAccount", "StatefulSet",
}

func allConditions() (conditions, reasons []string) {
	seen := make(map[string]bool)
	for _, one := range conditionReasons {
		conditions = append(conditions, one.condition)
		for _, reason := range one.reasons {
			if !seen[reason] {
				seen[reason] = true
				reasons = append(reasons, reason)
			}
		}
	}
	return conditions, reasons
}

func names(reasons []v1.SeedReason) []string {
	var all []string
	for _, reason := range reasons {
		all = append(all, string(reason))
	}
	return all
}

var (
	conditionNames, reasonNames = allConditions()
	ofNetwork                   = []label{{name: "namespace", from: "that of the PeerNetwork"}, {name: "network", from: "the name of the PeerNetwork"}}
)

func with(more ...label) []label { return append(ofNetwork[:len(ofNetwork):len(ofNetwork)], more...) }

// perNetwork tells one value of each network.
func perNetwork(value func(found) float64) func(*Metrics, func(float64, ...string)) {
	return func(m *Metrics, tell func(float64, ...string)) {
		for key, network := range m.networks {
			tell(value(network), key.Namespace, key.Name)
		}
	}
}

// operatorMetrics are the operator's own, in the order that the document has them in.
var operatorMetrics = []metric{
	{
		name: "operator_networks", kind: prometheus.GaugeValue,
		help:   "PeerNetworks, by the reason of each of their conditions; those of all reasons of one condition are all there are.",
		labels: []label{{name: "condition", values: conditionNames}, {name: "reason", values: reasonNames}},
		read: func(m *Metrics, tell func(float64, ...string)) {
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
		name: "operator_network_condition", kind: prometheus.GaugeValue,
		help:   "1 while the condition of the PeerNetwork is True, else 0.",
		labels: with(label{name: "condition", values: conditionNames}),
		read: func(m *Metrics, tell func(float64, ...string)) {
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
		name: "operator_network_seeds", kind: prometheus.GaugeValue,
		help:   "Seeds of the PeerNetwork: that there are to be, that exist, that take connections, and whose addresses are published.",
		labels: with(label{name: "state", values: []string{"desired", "existing", "ready", "published"}}),
		read: func(m *Metrics, tell func(float64, ...string)) {
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
		name: "operator_network_peers", kind: prometheus.GaugeValue,
		help:   "Peers that are connected to all seeds of the PeerNetwork.",
		labels: ofNetwork,
		read:   perNetwork(func(f found) float64 { return float64(f.status.Peers) }),
	},
	{
		name: "operator_network_document_sequence", kind: prometheus.GaugeValue,
		help:   "Sequence number of the PeerNetwork's bootstrap document; it grows when what is published changes.",
		labels: ofNetwork,
		read: perNetwork(func(f found) float64 {
			if f.status.Bootstrap == nil {
				return 0
			}
			return float64(f.status.Bootstrap.Sequence)
		}),
	},
	{
		name: "operator_network_certificate_expiry_timestamp_seconds", kind: prometheus.GaugeValue,
		help:   "When the certificate of the PeerNetwork's seeds expires, in Unix time; missing while there is none.",
		labels: ofNetwork,
		read: func(m *Metrics, tell func(float64, ...string)) {
			for key, network := range m.networks {
				if !network.certificate.IsZero() {
					tell(float64(network.certificate.Unix()), key.Namespace, key.Name)
				}
			}
		},
	},
	{
		name: "operator_seeds", kind: prometheus.GaugeValue,
		help:   "Seeds of all PeerNetworks, by why they are reached at their addresses or not.",
		labels: []label{{name: "reason", values: names(seedReasons)}},
		read: func(m *Metrics, tell func(float64, ...string)) {
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
		name: "operator_probes_total", kind: prometheus.CounterValue,
		help:   "Tries to reach a seed at all of its addresses, by how they ended.",
		labels: []label{{name: "reason", values: names(probeReasons)}},
		read: func(m *Metrics, tell func(float64, ...string)) {
			for _, reason := range probeReasons {
				tell(float64(m.probes[reason]), string(reason))
			}
		},
	},
	{
		name: "operator_status_requests_total", kind: prometheus.CounterValue,
		help:   "Requests for the status of a seed at its private port, by whether it answered.",
		labels: []label{{name: "result", values: []string{"answered", "silent"}}},
		read: func(m *Metrics, tell func(float64, ...string)) {
			tell(float64(m.answered), "answered")
			tell(float64(m.silent), "silent")
		},
	},
	{
		name: "operator_scalings_total", kind: prometheus.CounterValue,
		help:   "Decisions that a PeerNetwork is to have more seeds, or fewer, by spec.replicas or autoscaling.",
		labels: []label{{name: "direction", values: []string{"up", "down"}}},
		read: func(m *Metrics, tell func(float64, ...string)) {
			tell(float64(m.scaledUp), "up")
			tell(float64(m.scaledDown), "down")
		},
	},
	{
		name: "operator_publications_total", kind: prometheus.CounterValue,
		help: "Bootstrap documents that were published with a new sequence number.",
		read: func(m *Metrics, tell func(float64, ...string)) { tell(float64(m.published)) },
	},
	{
		name: "operator_api_writes_total", kind: prometheus.CounterValue,
		help:   "Objects that the operator wrote or deleted, by their kind; a PeerNetwork's is its status. It stands still while nothing changes.",
		labels: []label{{name: "kind", values: writtenKinds}},
		read: func(m *Metrics, tell func(float64, ...string)) {
			for _, kind := range writtenKinds {
				tell(float64(m.writes[kind]), kind)
			}
		},
	},
}
