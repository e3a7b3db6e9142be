package turn

import (
	"slices"
	"sync/atomic"
)

// Transports of clients, as in [Stats].
const (
	TransportUDP = "udp"
	TransportTCP = "tcp"
	TransportTLS = "tls"
)

// Transports returns them in a fixed order.
func Transports() []string { return []string{TransportUDP, TransportTCP, TransportTLS} }

// Why a client was not authenticated: the names in [Stats.AuthFailures].
const (
	AuthMalformed = "malformed" // the username is not of the TURN REST convention
	AuthExpired   = "expired"
	AuthMismatch  = "mismatch" // no secret's password fits
	AuthOther     = "other"    // the allocation is somebody else's
)

// AuthFailureReasons returns the reasons in a fixed order.
func AuthFailureReasons() []string {
	return []string{AuthMalformed, AuthExpired, AuthMismatch, AuthOther}
}

// Directions of relayed bytes, as in [Stats].
const (
	ToPeer   = "to-peer"
	ToClient = "to-client"
)

// Directions returns them in a fixed order.
func Directions() []string { return []string{ToPeer, ToClient} }

// Why a message was not relayed: the names in [Stats.Dropped]. What a quota of bytes
// drops is counted there.
const (
	DroppedNoAllocation = "no-allocation"
	DroppedNoPermission = "no-permission" // or channel, or nothing is at the other relayed address
	DroppedMalformed    = "malformed"
	DroppedTooLong      = "too-long"
	DroppedSend         = "send" // the socket did not take it
)

// DropReasons returns the reasons in a fixed order.
func DropReasons() []string {
	return []string{DroppedNoAllocation, DroppedNoPermission, DroppedMalformed, DroppedTooLong, DroppedSend}
}

// Stats is what a server has counted. Each map has all the keys that it can ever have.
type Stats struct {
	Allocations       map[string]int64  // there are, by transport of the client
	AllocationsTotal  map[string]uint64 // were made, by transport of the client
	Connections       map[string]int64  // of clients that there are, by transport; none for udp
	PermissionsDenied map[string]uint64 // by class, see [DeniedClasses]
	QuotaRefusals     map[string]uint64 // by quota, see [QuotaNames]
	AuthFailures      map[string]uint64 // by reason, see [AuthFailureReasons]
	Bytes             map[string]uint64 // payload relayed, by direction
	Messages          map[string]uint64 // the same, how many
	Dropped           map[string]uint64 // messages not relayed, by reason
	Draining          bool
}

// counters is one number for each of a fixed set of names.
type counters struct {
	names  []string
	values []paddedCounter
}

// paddedCounter has a cache line of its own.
type paddedCounter struct {
	atomic.Uint64
	_ [56]byte
}

func newCounters(names []string) counters {
	return counters{names, make([]paddedCounter, len(names))}
}

func (c *counters) of(name string) *paddedCounter { return &c.values[slices.Index(c.names, name)] }

func (c *counters) add(name string) { c.of(name).Add(1) }

func (c *counters) snapshot() map[string]uint64 {
	m := make(map[string]uint64, len(c.names))
	for i, name := range c.names {
		m[name] = c.values[i].Load()
	}
	return m
}

// gauge is a snapshot of counters that went up and down, by two's complement.
func (c *counters) gauge() map[string]int64 {
	m := make(map[string]int64, len(c.names))
	for i, name := range c.names {
		m[name] = int64(c.values[i].Load())
	}
	return m
}

// metrics are a server's counters.
type metrics struct {
	allocations, allocationsTotal, connections counters
	denied, refused, auth, dropped             counters
	bytes, messages                            counters

	// Those of every message, looked up once.
	toPeer, toClient flow
}

// flow counts one direction.
type flow struct{ bytes, messages *paddedCounter }

func (f flow) add(messages, bytes int) {
	f.messages.Add(uint64(messages))
	f.bytes.Add(uint64(bytes))
}

func newMetrics() *metrics {
	m := &metrics{
		allocations:      newCounters(Transports()),
		allocationsTotal: newCounters(Transports()),
		connections:      newCounters(Transports()),
		denied:           newCounters(DeniedClasses()),
		refused:          newCounters(QuotaNames()),
		auth:             newCounters(AuthFailureReasons()),
		dropped:          newCounters(DropReasons()),
		bytes:            newCounters(Directions()),
		messages:         newCounters(Directions()),
	}
	m.toPeer = flow{m.bytes.of(ToPeer), m.messages.of(ToPeer)}
	m.toClient = flow{m.bytes.of(ToClient), m.messages.of(ToClient)}
	return m
}

// Stats returns what was counted so far.
func (s *Server) Stats() Stats {
	m := s.metrics
	_, draining := s.quotas.state()
	return Stats{
		Allocations:       m.allocations.gauge(),
		AllocationsTotal:  m.allocationsTotal.snapshot(),
		Connections:       m.connections.gauge(),
		PermissionsDenied: m.denied.snapshot(),
		QuotaRefusals:     m.refused.snapshot(),
		AuthFailures:      m.auth.snapshot(),
		Bytes:             m.bytes.snapshot(),
		Messages:          m.messages.snapshot(),
		Dropped:           m.dropped.snapshot(),
		Draining:          draining,
	}
}
