package exchange

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats is what a node did since New, and what it holds now.
type Stats struct {
	// Peers is how many peers are connected and ready, by transport and protocol.
	Peers map[PeerKind]int
	// Connections counts connections that were begun, by this node or to it.
	Connections uint64
	// Handshakes counts connections that became ready peers.
	Handshakes uint64
	// HandshakeFailures counts connections that ended before they were, by the
	// name that they are counted under in Refused, or "lost" for those that the
	// other node ended or that broke.
	HandshakeFailures map[string]uint64
	// GetPeer counts answers to other nodes' requests.
	GetPeer GetPeerStats
	// Siblings is how many seeds this one is linked with. Peers has none of them.
	Siblings int
	// Forwards counts requests for a peer that siblings were asked to answer.
	Forwards ForwardStats
	// Relays is how many signaling relays pass through this node now, and
	// RelaysOpened how many there were; RelayBytes is what they passed on.
	Relays       int
	RelaysOpened uint64
	RelayBytes   uint64
	// Checks counts checks of candidates by their results, and ChecksWaiting is how
	// many there will be, those to be made again among them. See
	// Config.VerifyCandidates.
	Checks        map[CheckResult]uint64
	ChecksWaiting int
	// DataRelays is how many connections of peers that find no other way pass
	// through this node now, see Config.AllowRelayedData, DataRelaysOpened how many
	// there were, and DataRelayBytes what they passed on.
	DataRelays       int
	DataRelaysOpened uint64
	DataRelayBytes   uint64
	// Refused counts what was refused, by the name of the limit that was
	// exceeded (see LimitNames) or by the rule that was broken: "signal" for a
	// signal that would harm the node it was meant for, "protocol", "duplicate",
	// "self", "network", "version", "unauthorized", "unresponsive". RefusalReasons has them all.
	Refused map[string]uint64
}

// PeerKind is what peers are counted by.
type PeerKind struct {
	Transport string
	Protocol  Protocol
}

// GetPeerStats counts answers to getPeer by what was offered.
type GetPeerStats struct{ Direct, Relayed, None uint64 }

// ForwardStats counts what siblings answered. One request may go to several.
type ForwardStats struct {
	Found   uint64 // a peer, or several
	None    uint64 // that they have nobody
	Timeout uint64 // nothing in time
}

// counters is the live side of Stats.
type counters struct {
	forwards struct{ found, none, timeout atomic.Uint64 }

	connections, handshakes    atomic.Uint64
	direct, relayed, none      atomic.Uint64
	relays                     atomic.Int64
	relaysOpened, relayedBytes atomic.Uint64
	data                       struct { // data relays
		open          atomic.Int64
		opened, bytes atomic.Uint64
	}

	mu sync.Mutex
	// Guarded by mu. The reasons are constants of this package, so the maps do
	// not grow with what strangers send.
	refused, failed map[string]uint64
}

// refuse counts a refusal.
func (c *counters) refuse(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[string]uint64)
	}
	c.refused[reason]++
}

// failHandshake counts a connection that never became a ready peer.
func (c *counters) failHandshake(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil {
		c.failed = make(map[string]uint64)
	}
	c.failed[reason]++
}

// Stats returns a snapshot. It costs the same however many peers there are.
func (ex *Exchange) Stats() Stats {
	c := &ex.counters
	s := Stats{
		Connections:  c.connections.Load(),
		Handshakes:   c.handshakes.Load(),
		GetPeer:      GetPeerStats{Direct: c.direct.Load(), Relayed: c.relayed.Load(), None: c.none.Load()},
		Siblings:     len(ex.Siblings()),
		Forwards:     ForwardStats{Found: c.forwards.found.Load(), None: c.forwards.none.Load(), Timeout: c.forwards.timeout.Load()},
		Relays:       int(c.relays.Load()),
		RelaysOpened: c.relaysOpened.Load(),
		RelayBytes:   c.relayedBytes.Load(),

		DataRelays: int(c.data.open.Load()), DataRelaysOpened: c.data.opened.Load(), DataRelayBytes: c.data.bytes.Load(),
	}
	c.mu.Lock()
	s.Refused, s.HandshakeFailures = maps.Clone(c.refused), maps.Clone(c.failed)
	c.mu.Unlock()

	ex.mu.Lock()
	defer ex.mu.Unlock()
	s.Peers = maps.Clone(ex.kinds)
	s.Checks, s.ChecksWaiting = maps.Clone(ex.verifier.results), len(ex.verifier.waiting)
	return s
}
