package seed

import (
	"runtime"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peerexchange/peerexchange/internal/metrics"
	"github.com/peerexchange/peerexchange/internal/turn"
	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// each tells the values of a metric with one label, of which each is there from
// the start.
func each[N int64 | uint64](l metrics.Label, values func(*reading) map[string]N) func(*reading, metrics.Tell) {
	return func(r *reading, tell metrics.Tell) {
		counted := values(r)
		for _, name := range l.Values {
			tell(float64(counted[name]), name)
		}
	}
}

var (
	transportLabel = metrics.Label{Name: "transport", Values: []string{transports.WebSocket, transports.TCP, transports.WebRTC, exchange.Relay}}
	protocolLabel  = metrics.Label{Name: "protocol", Values: []string{exchange.V0.String(), exchange.V1.String()}}

	checkLabel     = metrics.Label{Name: "result", Values: checkResults()}
	failureLabel   = metrics.Label{Name: "reason", Values: union(exchange.HandshakeFailureReasons(), refusalReasons)}
	clientLabel    = metrics.Label{Name: "transport", Values: turn.Transports()}
	directionLabel = metrics.Label{Name: "direction", Values: turn.Directions()}
	deniedLabel    = metrics.Label{Name: "class", Values: turn.DeniedClasses()}
	quotaLabel     = metrics.Label{Name: "quota", Values: turn.QuotaNames()}
	authLabel      = metrics.Label{Name: "reason", Values: turn.AuthFailureReasons()}
	dropLabel      = metrics.Label{Name: "reason", Values: turn.DropReasons()}

	refusalLabel = metrics.Label{Name: "reason", Values: union(exchange.RefusalReasons(), refusalReasons)}
)

// seedMetrics are the seed's own, in the order that the document has them in; `make
// generate` writes it.
var seedMetrics = []metrics.Metric[*reading]{
	{
		Name: "seed_peers", Kind: prometheus.GaugeValue,
		Help:   "Peers that are connected and ready, by transport and generation of the protocol.",
		Labels: []metrics.Label{transportLabel, protocolLabel},
		Read: func(r *reading, tell metrics.Tell) {
			for _, transport := range transportLabel.Values {
				for _, protocol := range []exchange.Protocol{exchange.V0, exchange.V1} {
					tell(float64(r.stats.Peers[exchange.PeerKind{Transport: transport, Protocol: protocol}]), transport, protocol.String())
				}
			}
		},
	},
	{
		Name: "seed_pending_connections", Kind: prometheus.GaugeValue,
		Help: "Connections that speak nothing yet, are in their TLS handshake, or have HTTP requests.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.seed.entrance.pending.len())) },
	},
	{
		Name: "seed_connections_total", Kind: prometheus.CounterValue,
		Help: "Connections that began to speak the exchange's protocol.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.Connections)) },
	},
	{
		Name: "seed_handshakes_total", Kind: prometheus.CounterValue,
		Help: "Connections that became ready peers.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.Handshakes)) },
	},
	{
		Name: "seed_handshake_failures_total", Kind: prometheus.CounterValue,
		Help:   "Connections that ended before they were ready peers, by reason; lost is for those that the other side ended or that broke.",
		Labels: []metrics.Label{failureLabel},
		Read: func(r *reading, tell metrics.Tell) {
			for _, reason := range failureLabel.Values {
				tell(float64(r.stats.HandshakeFailures[reason]+r.refused[reason]), reason)
			}
		},
	},
	{
		Name: "seed_refusals_total", Kind: prometheus.CounterValue,
		Help:   "What was refused to nodes, or because of them, in their handshake or later, by the limit that was exceeded or the rule that was broken.",
		Labels: []metrics.Label{refusalLabel},
		Read: func(r *reading, tell metrics.Tell) {
			for _, reason := range refusalLabel.Values {
				tell(float64(r.stats.Refused[reason]+r.refused[reason]), reason)
			}
		},
	},
	{
		Name: "seed_getpeer_answers_total", Kind: prometheus.CounterValue,
		Help:   "Answers to requests for a peer: one to dial, one to negotiate with through a relay, or none.",
		Labels: []metrics.Label{{Name: "result", Values: []string{"direct", "relayed", "none"}}},
		Read: func(r *reading, tell metrics.Tell) {
			tell(float64(r.stats.GetPeer.Direct), "direct")
			tell(float64(r.stats.GetPeer.Relayed), "relayed")
			tell(float64(r.stats.GetPeer.None), "none")
		},
	},
	{
		Name: "seed_candidate_checks_total", Kind: prometheus.CounterValue,
		Help:   "Checks of candidates that others would dial, by result; see --verify-candidates.",
		Labels: []metrics.Label{checkLabel},
		Read: func(r *reading, tell metrics.Tell) {
			for _, result := range exchange.CheckResults() {
				tell(float64(r.stats.Checks[result]), string(result))
			}
		},
	},
	{
		Name: "seed_candidate_checks_waiting", Kind: prometheus.GaugeValue,
		Help: "Checks of candidates that are to be made, those that will be made again among them.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.ChecksWaiting)) },
	},
	{
		Name: "seed_mesh_links", Kind: prometheus.GaugeValue,
		Help: "Other seeds of the network that this one is linked with.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.Siblings)) },
	},
	{
		Name: "seed_mesh_forwards_total", Kind: prometheus.CounterValue,
		Help:   "Requests for a peer that were passed on to another seed, by its answer: a peer, none, or nothing in time.",
		Labels: []metrics.Label{{Name: "result", Values: []string{"found", "none", "timeout"}}},
		Read: func(r *reading, tell metrics.Tell) {
			tell(float64(r.stats.Forwards.Found), "found")
			tell(float64(r.stats.Forwards.None), "none")
			tell(float64(r.stats.Forwards.Timeout), "timeout")
		},
	},
	{
		Name: "seed_signaling_relays_open", Kind: prometheus.GaugeValue,
		Help: "Signaling relays between two peers that are open.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.Relays)) },
	},
	{
		Name: "seed_signaling_relays_opened_total", Kind: prometheus.CounterValue,
		Help: "Signaling relays that were opened.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.RelaysOpened)) },
	},
	{
		Name: "seed_signaling_relay_bytes_total", Kind: prometheus.CounterValue,
		Help: "Bytes that signaling relays passed on, in both directions.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.RelayBytes)) },
	},
	{
		Name: "seed_data_relays_open", Kind: prometheus.GaugeValue,
		Help: "Connections of peers that find no other way, which go through the seed.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.DataRelays)) },
	},
	{
		Name: "seed_data_relays_opened_total", Kind: prometheus.CounterValue,
		Help: "Connections that went through the seed.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.DataRelaysOpened)) },
	},
	{
		Name: "seed_data_relay_bytes_total", Kind: prometheus.CounterValue,
		Help: "Bytes that these connections passed on, in both directions.",
		Read: func(r *reading, tell metrics.Tell) { tell(float64(r.stats.DataRelayBytes)) },
	},
	{
		Name: "seed_ice_requests_total", Kind: prometheus.CounterValue,
		Help:   "Requests for ICE servers: answered with credentials, refused for their rate, or refused to who is no member.",
		Labels: []metrics.Label{{Name: "result", Values: []string{"answered", "refused", "unauthorized"}}},
		Read: func(r *reading, tell metrics.Tell) {
			counts := r.seed.ice.counts()
			tell(float64(counts.answered), "answered")
			tell(float64(counts.refused), "refused")
			tell(float64(counts.unauthorized), "unauthorized")
		},
	},
	{
		Name: "seed_ice_sent_total", Kind: prometheus.CounterValue,
		Help: "ICE servers with credentials that peers were sent over their connection: at its start, and to renew them.",
		Read: func(r *reading, tell metrics.Tell) {
			tell(float64(r.seed.ice.counts().sent))
		},
	},
	{
		Name: "seed_turn_allocations", Kind: prometheus.GaugeValue,
		Help:   "TURN allocations, by how their clients reach the seed; tls is for the one port with TLS, tcp for those without.",
		Labels: []metrics.Label{clientLabel},
		Read:   each(clientLabel, func(r *reading) map[string]int64 { return r.turn.Allocations }),
	},
	{
		Name: "seed_turn_allocations_made_total", Kind: prometheus.CounterValue,
		Help:   "TURN allocations that were made, by how their clients reach the seed.",
		Labels: []metrics.Label{clientLabel},
		Read:   each(clientLabel, func(r *reading) map[string]uint64 { return r.turn.AllocationsTotal }),
	},
	{
		Name: "seed_turn_connections", Kind: prometheus.GaugeValue,
		Help:   "Connections of TURN clients; none for udp.",
		Labels: []metrics.Label{clientLabel},
		Read:   each(clientLabel, func(r *reading) map[string]int64 { return r.turn.Connections }),
	},
	{
		Name: "seed_turn_relayed_bytes_total", Kind: prometheus.CounterValue,
		Help:   "Payload that TURN relayed.",
		Labels: []metrics.Label{directionLabel},
		Read:   each(directionLabel, func(r *reading) map[string]uint64 { return r.turn.Bytes }),
	},
	{
		Name: "seed_turn_relayed_messages_total", Kind: prometheus.CounterValue,
		Help:   "Messages that TURN relayed.",
		Labels: []metrics.Label{directionLabel},
		Read:   each(directionLabel, func(r *reading) map[string]uint64 { return r.turn.Messages }),
	},
	{
		Name: "seed_turn_dropped_messages_total", Kind: prometheus.CounterValue,
		Help:   "Messages that TURN did not relay, for another reason than a quota.",
		Labels: []metrics.Label{dropLabel},
		Read:   each(dropLabel, func(r *reading) map[string]uint64 { return r.turn.Dropped }),
	},
	{
		Name: "seed_turn_permissions_denied_total", Kind: prometheus.CounterValue,
		Help:   "Peers that TURN clients may not have, by what is at the address.",
		Labels: []metrics.Label{deniedLabel},
		Read:   each(deniedLabel, func(r *reading) map[string]uint64 { return r.turn.PermissionsDenied }),
	},
	{
		Name: "seed_turn_quota_refusals_total", Kind: prometheus.CounterValue,
		Help:   "What was refused to TURN clients, by the quota that was used up; for the quotas of bytes, messages.",
		Labels: []metrics.Label{quotaLabel},
		Read:   each(quotaLabel, func(r *reading) map[string]uint64 { return r.turn.QuotaRefusals }),
	},
	{
		Name: "seed_turn_auth_failures_total", Kind: prometheus.CounterValue,
		Help:   "TURN requests with credentials that are not good.",
		Labels: []metrics.Label{authLabel},
		Read:   each(authLabel, func(r *reading) map[string]uint64 { return r.turn.AuthFailures }),
	},
	{
		Name: "seed_certificate_expiry_timestamp_seconds", Kind: prometheus.GaugeValue,
		Help: "When the certificate of the port with TLS expires, in Unix time; missing without such a port.",
		Read: func(r *reading, tell metrics.Tell) {
			if c := r.seed.certificate; c != nil {
				tell(float64(c.leaf().NotAfter.Unix()))
			}
		},
	},
	{
		Name: "seed_draining", Kind: prometheus.GaugeValue,
		Help: "1 while the seed shuts down in order, else 0.",
		Read: func(r *reading, tell metrics.Tell) {
			if r.seed.draining() {
				tell(1)
			} else {
				tell(0)
			}
		},
	},
	{
		Name: "seed_build_info", Kind: prometheus.GaugeValue,
		Help:   "Always 1: what program this is.",
		Labels: []metrics.Label{{Name: "version", From: "of the seed"}, {Name: "goversion", From: "of Go"}},
		Read: func(r *reading, tell metrics.Tell) {
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
