package seed

import (
	"runtime"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peerexchange/peerexchange/internal/turn"
	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// metric is one of the seed's own. docs/metrics.md is made of these; `make
// generate` writes it.
type metric struct {
	name, help string
	kind       prometheus.ValueType
	labels     []label
	// read tells the values, each with one value for every label.
	read func(r *reading, tell func(value float64, labels ...string))
}

// label is one by which a metric's values are told apart. Its values are from a
// fixed set, so that nothing that strangers send makes a time series.
type label struct {
	name   string
	values []string
	from   string // what the one value is, where it depends on the program
}

// reading is what the metrics of one scrape are made of.
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

// each tells the values of a metric with one label, of which each is there from
// the start.
func each[N int64 | uint64](l label, values func(*reading) map[string]N) func(*reading, func(float64, ...string)) {
	return func(r *reading, tell func(float64, ...string)) {
		counted := values(r)
		for _, name := range l.values {
			tell(float64(counted[name]), name)
		}
	}
}

var (
	transportLabel = label{name: "transport", values: []string{transports.WebSocket, transports.TCP, transports.WebRTC, exchange.Relay}}
	protocolLabel  = label{name: "protocol", values: []string{exchange.V0.String(), exchange.V1.String()}}

	checkLabel     = label{name: "result", values: checkResults()}
	failureLabel   = label{name: "reason", values: union(exchange.HandshakeFailureReasons(), refusalReasons)}
	clientLabel    = label{name: "transport", values: turn.Transports()}
	directionLabel = label{name: "direction", values: turn.Directions()}
	deniedLabel    = label{name: "class", values: turn.DeniedClasses()}
	quotaLabel     = label{name: "quota", values: turn.QuotaNames()}
	authLabel      = label{name: "reason", values: turn.AuthFailureReasons()}
	dropLabel      = label{name: "reason", values: turn.DropReasons()}

	refusalLabel = label{name: "reason", values: union(exchange.RefusalReasons(), refusalReasons)}
)

// metrics are the seed's own, in the order that the document has them in.
var metrics = []metric{
	{
		name: "seed_peers", kind: prometheus.GaugeValue,
		help:   "Peers that are connected and ready, by transport and generation of the protocol.",
		labels: []label{transportLabel, protocolLabel},
		read: func(r *reading, tell func(float64, ...string)) {
			for _, transport := range transportLabel.values {
				for _, protocol := range []exchange.Protocol{exchange.V0, exchange.V1} {
					tell(float64(r.stats.Peers[exchange.PeerKind{Transport: transport, Protocol: protocol}]), transport, protocol.String())
				}
			}
		},
	},
	{
		name: "seed_pending_connections", kind: prometheus.GaugeValue,
		help: "Connections that speak nothing yet, are in their TLS handshake, or have HTTP requests.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.seed.entrance.pending.len())) },
	},
	{
		name: "seed_connections_total", kind: prometheus.CounterValue,
		help: "Connections that began to speak the exchange's protocol.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.Connections)) },
	},
	{
		name: "seed_handshakes_total", kind: prometheus.CounterValue,
		help: "Connections that became ready peers.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.Handshakes)) },
	},
	{
		name: "seed_handshake_failures_total", kind: prometheus.CounterValue,
		help:   "Connections that ended before they were ready peers, by reason; lost is for those that the other side ended or that broke.",
		labels: []label{failureLabel},
		read: func(r *reading, tell func(float64, ...string)) {
			for _, reason := range failureLabel.values {
				tell(float64(r.stats.HandshakeFailures[reason]+r.refused[reason]), reason)
			}
		},
	},
	{
		name: "seed_refusals_total", kind: prometheus.CounterValue,
		help:   "What was refused to nodes, or because of them, in their handshake or later, by the limit that was exceeded or the rule that was broken.",
		labels: []label{refusalLabel},
		read: func(r *reading, tell func(float64, ...string)) {
			for _, reason := range refusalLabel.values {
				tell(float64(r.stats.Refused[reason]+r.refused[reason]), reason)
			}
		},
	},
	{
		name: "seed_getpeer_answers_total", kind: prometheus.CounterValue,
		help:   "Answers to requests for a peer: one to dial, one to negotiate with through a relay, or none.",
		labels: []label{{name: "result", values: []string{"direct", "relayed", "none"}}},
		read: func(r *reading, tell func(float64, ...string)) {
			tell(float64(r.stats.GetPeer.Direct), "direct")
			tell(float64(r.stats.GetPeer.Relayed), "relayed")
			tell(float64(r.stats.GetPeer.None), "none")
		},
	},
	{
		name: "seed_candidate_checks_total", kind: prometheus.CounterValue,
		help:   "Checks of candidates that others would dial, by result; see --verify-candidates.",
		labels: []label{checkLabel},
		read: func(r *reading, tell func(float64, ...string)) {
			for _, result := range exchange.CheckResults() {
				tell(float64(r.stats.Checks[result]), string(result))
			}
		},
	},
	{
		name: "seed_candidate_checks_waiting", kind: prometheus.GaugeValue,
		help: "Checks of candidates that are to be made, those that will be made again among them.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.ChecksWaiting)) },
	},
	{
		name: "seed_mesh_links", kind: prometheus.GaugeValue,
		help: "Other seeds of the network that this one is linked with.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.Siblings)) },
	},
	{
		name: "seed_mesh_forwards_total", kind: prometheus.CounterValue,
		help:   "Requests for a peer that were passed on to another seed, by its answer: a peer, none, or nothing in time.",
		labels: []label{{name: "result", values: []string{"found", "none", "timeout"}}},
		read: func(r *reading, tell func(float64, ...string)) {
			tell(float64(r.stats.Forwards.Found), "found")
			tell(float64(r.stats.Forwards.None), "none")
			tell(float64(r.stats.Forwards.Timeout), "timeout")
		},
	},
	{
		name: "seed_signaling_relays_open", kind: prometheus.GaugeValue,
		help: "Signaling relays between two peers that are open.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.Relays)) },
	},
	{
		name: "seed_signaling_relays_opened_total", kind: prometheus.CounterValue,
		help: "Signaling relays that were opened.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.RelaysOpened)) },
	},
	{
		name: "seed_signaling_relay_bytes_total", kind: prometheus.CounterValue,
		help: "Bytes that signaling relays passed on, in both directions.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.RelayBytes)) },
	},
	{
		name: "seed_data_relays_open", kind: prometheus.GaugeValue,
		help: "Connections of peers that find no other way, which go through the seed.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.DataRelays)) },
	},
	{
		name: "seed_data_relays_opened_total", kind: prometheus.CounterValue,
		help: "Connections that went through the seed.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.DataRelaysOpened)) },
	},
	{
		name: "seed_data_relay_bytes_total", kind: prometheus.CounterValue,
		help: "Bytes that these connections passed on, in both directions.",
		read: func(r *reading, tell func(float64, ...string)) { tell(float64(r.stats.DataRelayBytes)) },
	},
	{
		name: "seed_ice_requests_total", kind: prometheus.CounterValue,
		help:   "Requests for ICE servers: answered with credentials, refused for their rate, or refused to who is no member.",
		labels: []label{{name: "result", values: []string{"answered", "refused", "unauthorized"}}},
		read: func(r *reading, tell func(float64, ...string)) {
			counts := r.seed.ice.counts()
			tell(float64(counts.answered), "answered")
			tell(float64(counts.refused), "refused")
			tell(float64(counts.unauthorized), "unauthorized")
		},
	},
	{
		name: "seed_ice_sent_total", kind: prometheus.CounterValue,
		help: "ICE servers with credentials that peers were sent over their connection: at its start, and to renew them.",
		read: func(r *reading, tell func(float64, ...string)) {
			tell(float64(r.seed.ice.counts().sent))
		},
	},
	{
		name: "seed_turn_allocations", kind: prometheus.GaugeValue,
		help:   "TURN allocations, by how their clients reach the seed; tls is for the one port with TLS, tcp for those without.",
		labels: []label{clientLabel},
		read:   each(clientLabel, func(r *reading) map[string]int64 { return r.turn.Allocations }),
	},
	{
		name: "seed_turn_allocations_made_total", kind: prometheus.CounterValue,
		help:   "TURN allocations that were made, by how their clients reach the seed.",
		labels: []label{clientLabel},
		read:   each(clientLabel, func(r *reading) map[string]uint64 { return r.turn.AllocationsTotal }),
	},
	{
		name: "seed_turn_connections", kind: prometheus.GaugeValue,
		help:   "Connections of TURN clients; none for udp.",
		labels: []label{clientLabel},
		read:   each(clientLabel, func(r *reading) map[string]int64 { return r.turn.Connections }),
	},
	{
		name: "seed_turn_relayed_bytes_total", kind: prometheus.CounterValue,
		help:   "Payload that TURN relayed.",
		labels: []label{directionLabel},
		read:   each(directionLabel, func(r *reading) map[string]uint64 { return r.turn.Bytes }),
	},
	{
		name: "seed_turn_relayed_messages_total", kind: prometheus.CounterValue,
		help:   "Messages that TURN relayed.",
		labels: []label{directionLabel},
		read:   each(directionLabel, func(r *reading) map[string]uint64 { return r.turn.Messages }),
	},
	{
		name: "seed_turn_dropped_messages_total", kind: prometheus.CounterValue,
		help:   "Messages that TURN did not relay, for another reason than a quota.",
		labels: []label{dropLabel},
		read:   each(dropLabel, func(r *reading) map[string]uint64 { return r.turn.Dropped }),
	},
	{
		name: "seed_turn_permissions_denied_total", kind: prometheus.CounterValue,
		help:   "Peers that TURN clients may not have, by what is at the address.",
		labels: []label{deniedLabel},
		read:   each(deniedLabel, func(r *reading) map[string]uint64 { return r.turn.PermissionsDenied }),
	},
	{
		name: "seed_turn_quota_refusals_total", kind: prometheus.CounterValue,
		help:   "What was refused to TURN clients, by the quota that was used up; for the quotas of bytes, messages.",
		labels: []label{quotaLabel},
		read:   each(quotaLabel, func(r *reading) map[string]uint64 { return r.turn.QuotaRefusals }),
	},
	{
		name: "seed_turn_auth_failures_total", kind: prometheus.CounterValue,
		help:   "TURN requests with credentials that are not good.",
		labels: []label{authLabel},
		read:   each(authLabel, func(r *reading) map[string]uint64 { return r.turn.AuthFailures }),
	},
	{
		name: "seed_certificate_expiry_timestamp_seconds", kind: prometheus.GaugeValue,
		help: "When the certificate of the port with TLS expires, in Unix time; missing without such a port.",
		read: func(r *reading, tell func(float64, ...string)) {
			if c := r.seed.certificate; c != nil {
				tell(float64(c.leaf().NotAfter.Unix()))
			}
		},
	},
	{
		name: "seed_draining", kind: prometheus.GaugeValue,
		help: "1 while the seed shuts down in order, else 0.",
		read: func(r *reading, tell func(float64, ...string)) {
			if r.seed.draining() {
				tell(1)
			} else {
				tell(0)
			}
		},
	},
	{
		name: "seed_build_info", kind: prometheus.GaugeValue,
		help:   "Always 1: what program this is.",
		labels: []label{{name: "version", from: "of the seed"}, {name: "goversion", from: "of Go"}},
		read: func(r *reading, tell func(float64, ...string)) {
			tell(1, r.seed.config.Version, runtime.Version())
		},
	},
}

// union returns what is in either, sorted and once.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func checkResults() []string {
	var names []string
	for _, result := range exchange.CheckResults() {
		names = append(names, string(result))
	}
	return names
}
