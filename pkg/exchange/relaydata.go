package exchange

import (
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// A data relay is what is left for two peers that find no way to each other, not
// even by TURN: their connection goes through this node, on a pair of channels
// of its own. Unlike signaling it never holds a peer up. Both ends are told the
// rate and keep to it, and they have little on its way at a time, so what comes
// faster than they may send, or finds a queue that does not get shorter, ends the
// relay.

// What two ends of a data relay may have on its way to each other: what one may
// send at once before its rate counts, and the window of their connection.
const (
	dataBurst  = 16 << 10
	dataWindow = 32 << 10
	// The middle sees bursts and windows that the network has held up together,
	// and what is not application data.
	dataTolerance = 128 << 10
)

// carries is how many bytes a second a data relay between two peers would pass
// on, or 0 if there can be none. A peer that is relayed itself gets none: that
// would be another node's relay.
func (ex *Exchange) carries(asker, candidate *Peer, transport string) int {
	if transport != transports.WebRTC || !ex.config.AllowRelayedData {
		return 0
	}
	for _, p := range []*Peer{asker, candidate} {
		if !p.knows(featureRelayed) || p.transport == Relay || p.Sibling() {
			return 0
		}
	}
	if ex.limits.RelayDataBytesPerSecond < 0 {
		return maxWindow
	}
	return ex.limits.RelayDataBytesPerSecond
}

// newCarryingRelay is newRelay for signaling that a data relay may follow.
func (ex *Exchange) newCarryingRelay(asker, candidate *Peer, nonce string) (*relay, string) {
	name := "relay:" + nonce
	guard := ex.guardFor(transports.WebRTC)
	guard.AllowRelayed()
	r := &relay{ex: ex, guard: guard, follow: dataChannel(nonce)}
	return r.open(asker, candidate, relayNames{name, name})
}

// dataChannel is what both ends call the channel of a data relay.
func dataChannel(nonce string) string { return "relayed:" + nonce }

// followUp has a data relay take the place of a signaling relay once both ends
// have asked for it. last is how the second of them did, which the first has
// still to hear: from then on they may send.
func (r *relay) followUp(first *relayEnd, last []byte) {
	defer r.close()
	asker, candidate := r.ends[wire.FromAsker].peer, r.ends[wire.FromCandidate].peer
	release, limit := r.ex.reserveData(asker, candidate)
	var data *relay
	if limit == "" {
		data, limit = (&relay{ex: r.ex, ended: release, data: true}).open(asker, candidate, relayNames{r.follow, r.follow})
	}
	if limit != "" {
		r.ex.refused(limit, asker.RemoteAddress())
	}
	if data != nil {
		first.send(last)
	}
}

// reserveData counts both ends of a data relay, or names the limit that is reached.
func (ex *Exchange) reserveData(asker, candidate *Peer) (release func(), limit string) {
	ends := [2]netip.Prefix{asker.owner, candidate.owner}
	for i, at := range ends {
		if limit, ok := ex.dataEnds.acquire(at, 1); !ok {
			if i == 1 {
				ex.dataEnds.release(ends[0], 1)
			}
			return nil, limit
		}
	}
	return func() {
		for _, at := range ends {
			ex.dataEnds.release(at, 1)
		}
	}, ""
}

// passData passes on what one end sends, unless it is too much.
func (e *relayEnd) passData(piece []byte) {
	ex := e.relay.ex
	other := &e.relay.ends[1-e.side]
	switch {
	case !within(e.received, ex.limits.RelayDataBytes):
		e.refuse("relay-data-bytes")
	case !e.inPace(len(piece)):
		e.refuse("relay-data-bytes-per-second")
	case !other.hasQueueRoom(len(piece)):
		other.refuse("outbound-queue-bytes")
	default:
		ex.counters.data.bytes.Add(uint64(len(piece)))
		other.send(piece)
	}
}

// inPace counts bytes against the rate that both ends were told.
func (e *relayEnd) inPace(n int) bool {
	perSecond := e.relay.ex.limits.RelayDataBytesPerSecond
	if perSecond < 0 {
		return true
	}
	if e.pace == nil {
		e.pace = rate.NewLimiter(rate.Limit(perSecond), dataTolerance)
	}
	return e.pace.AllowN(time.Now(), n)
}

// hasQueueRoom leaves half of a slow peer's queue to its other business, for which
// it would lose its connection if there were no room.
func (e *relayEnd) hasQueueRoom(n int) bool {
	limit := e.relay.ex.limits.OutboundQueueBytes
	return limit < 0 || e.peer.session.Queued()+n <= limit/2
}

// counters are how many relays of the kind there are, and were opened.
func (r *relay) counters() (open *atomic.Int64, opened *atomic.Uint64) {
	c := &r.ex.counters
	if r.data {
		return &c.data.open, &c.data.opened
	}
	return &c.relays, &c.relaysOpened
}

// times is what ends relays of the kind, and when.
func (r *relay) times() (*relayTimes, time.Duration) {
	if r.data {
		return &r.ex.dataTimes, r.ex.limits.RelayDataTime
	}
	return &r.ex.relayTimes, r.ex.limits.RelayTime
}
