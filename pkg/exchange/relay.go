package exchange

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// relayBurst is what a relay passes on at once before its rate counts: an offer,
// an answer and their candidates are through at full speed.
const relayBurst = 64 << 10

// relay passes signaling on between two peers. It has no goroutine: what one
// peer's read loop receives goes into the other's outbound queue. It ends with
// its time, with either peer, with either half, or with the first thing that
// would harm the node it was sent to.
type relay struct {
	// Static after construction.
	ex     *Exchange
	guard  *wire.Guard // nil for transports whose signals are unknown here, and for data
	ends   [2]relayEnd // by wire.Side: who sent it
	ended  func()
	asked  netip.Prefix // whose share of the candidate's room it has; that of the asker unless set
	data   bool         // passes on what the peers' applications say, see relaydata.go
	follow string       // the name of the data relay that both ends may ask for, or empty

	over  atomic.Bool
	heard atomic.Int64 // when it was opened or last passed something on, in Unix nanoseconds

	words sync.Mutex // held while a signal is passed on, if a data relay may follow

	// Guarded by the mu of its relayTimes.
	until          time.Time
	listed         bool
	previous, next *relay
}

// relayEnd is the half of a relay that takes what one peer sends.
type relayEnd struct {
	relay   *relay
	peer    *Peer
	channel *mux.Channel
	side    wire.Side
	owner   netip.Prefix // what it holds counts for: no valid one for a sibling, through which many speak

	// Owned by the peer's read loop.
	received int
	pace     *rate.Limiter // lazily

	mu sync.Mutex
	// Guarded by mu.
	held int // of what it sent, see hold
}

// relayNames are the channel names by which the asker and the candidate know a relay.
type relayNames [2]string

// newRelay opens a relay between two peers. Nothing is sent yet. If one of them
// has no room for it, the limit's name is returned. ended, which may be nil, is
// called once when the relay ends, or does not begin.
func (ex *Exchange) newRelay(asker, candidate *Peer, names relayNames, guard *wire.Guard, ended func()) (*relay, string) {
	return (&relay{ex: ex, guard: guard, ended: ended}).open(asker, candidate, names)
}

// open does what newRelay says.
func (r *relay) open(asker, candidate *Peer, names relayNames) (*relay, string) {
	if r.ended == nil {
		r.ended = func() {}
	}
	if !r.ex.introduces() {
		r.ended()
		return nil, ""
	}
	if !asker.reserveRelay() {
		r.ended()
		return nil, "relays-per-peer"
	}
	if !r.asked.IsValid() {
		r.asked = asker.owner
	}
	if !candidate.reserveRelayFor(r.asked) {
		asker.relays.Add(-1)
		r.ended()
		return nil, "relays-per-peer"
	}
	open, opened := r.counters()
	open.Add(1)
	opened.Add(1)
	for side, p := range [...]*Peer{wire.FromAsker: asker, wire.FromCandidate: candidate} {
		end := &r.ends[side]
		end.relay, end.peer, end.side = r, p, wire.Side(side)
		if !p.Sibling() {
			end.owner = p.owner
		}
	}
	// The channel of an end must be there before the other end's read loop can
	// send on it, so both are made before either peer learns of the relay.
	for i, name := range names {
		end := &r.ends[i]
		channel, err := end.peer.session.Channel(name, end)
		if err != nil {
			r.close()
			return nil, "channels-per-peer"
		}
		end.channel = channel
	}
	r.heard.Store(time.Now().UnixNano())
	times, lasts := r.times()
	times.add(r, lasts)
	if !r.attach() {
		return nil, ""
	}
	return r, ""
}

// attach has the relay end with either peer, and tells whether it stands. If one of
// them ended in between, it was detached from the other before it was attached there.
func (r *relay) attach() bool {
	if r.ends[0].peer.attach(r) && r.ends[1].peer.attach(r) && !r.over.Load() {
		return true
	}
	r.close()
	for i := range r.ends {
		r.ends[i].peer.detach(r)
	}
	return false
}

func (p *Peer) reserveRelay() bool {
	if within(int(p.relays.Add(1)), p.relayLimit()) {
		return true
	}
	p.relays.Add(-1)
	return false
}

// reserveRelayFor is reserveRelay for the candidate of a relay. Whoever asks for relays
// shares that candidate's room with all others, so who is at one address gets no more
// than half of it, or two: a data relay begins before the one that it follows has ended.
// The share is released with the relay.
func (p *Peer) reserveRelayFor(asker netip.Prefix) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.hasShareLocked(asker) || !p.reserveRelay() {
		return false
	}
	if p.shares == nil {
		p.shares = make(map[netip.Prefix]int)
	}
	p.shares[asker]++
	return true
}

func (p *Peer) releaseShare(asker netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shares[asker]--; p.shares[asker] == 0 {
		delete(p.shares, asker)
	}
}

func (p *Peer) hasShareLocked(asker netip.Prefix) bool {
	limit := p.relayLimit()
	return limit < 0 || !asker.IsValid() || p.shares[asker] < max(limit/2, 2)
}

// hasRelayRoom tells whether reserveRelayFor would work.
func (p *Peer) hasRelayRoom(asker netip.Prefix) bool {
	if !within(int(p.relays.Load())+1, p.relayLimit()) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hasShareLocked(asker)
}

func (p *Peer) relayLimit() int {
	if p.Sibling() {
		return p.ex.limits.RelaysPerSibling
	}
	return p.ex.limits.RelaysPerPeer
}

// close ends both halves with type 4 frames, as a npm seed does after 30 s. It
// may be called by anyone, any number of times. A peer that is being disconnected
// is sent nothing, for the reason that stream.close gives.
func (r *relay) close() {
	if r.over.Swap(true) {
		return
	}
	times, _ := r.times()
	times.remove(r)
	r.ended()
	for i := range r.ends {
		end := &r.ends[i]
		if end.channel != nil && end.peer.Err() == nil && r.ex.lifetime.Err() == nil {
			end.close()
		}
		end.peer.detach(r)
		end.peer.relays.Add(-1)
		end.letGo()
	}
	r.ends[wire.FromCandidate].peer.releaseShare(r.asked)
	open, _ := r.counters()
	open.Add(-1)
}

// close ends the half. A sibling is to learn of it in any case; whatever else is
// sent nothing on a channel that it may not expect.
func (e *relayEnd) close() {
	if e.peer.Sibling() {
		e.channel.Abort()
	} else {
		e.channel.Close()
	}
}

func (r *relay) peerEnded(*Peer) { r.close() }

// Receive implements mux.Receiver.
func (e *relayEnd) Receive(piece []byte) error {
	r := e.relay
	if r.over.Load() {
		return nil
	}
	r.heard.Store(time.Now().UnixNano())
	e.received += len(piece)
	if r.data {
		e.passData(piece)
		return nil
	}
	if !within(e.received, r.ex.limits.RelayBytes) {
		e.refuse("relay-bytes")
		return nil
	}
	e.throttle(len(piece))
	other := &r.ends[1-e.side]
	if r.guard == nil {
		r.ex.counters.relayedBytes.Add(uint64(len(piece)))
		other.send(piece)
		return nil
	}
	if r.follow != "" {
		// Each end must have got the other's word before the relay is followed.
		r.words.Lock()
		defer r.words.Unlock()
		if r.over.Load() {
			return nil
		}
	}
	buffer := relayBuffers.Get().(*[]byte)
	defer relayBuffers.Put(buffer)
	safe, err := r.guard.Forward(e.side, (*buffer)[:0], piece)
	*buffer = safe
	if err != nil {
		e.refuse("signal")
		return nil
	}
	if limit, ok := e.hold(r.guard.Held(e.side)); !ok {
		e.refuse(limit)
		return nil
	}
	r.ex.counters.relayedBytes.Add(uint64(len(safe)))
	if r.follow != "" && r.guard.Relayed() {
		r.followUp(other, safe)
		return nil
	}
	other.send(safe)
	return nil
}

var relayBuffers = sync.Pool{New: func() any { return new([]byte) }}

// End implements mux.Receiver. Whoever ends its half has no further use for the
// other one.
func (e *relayEnd) End() { e.relay.close() }

func (e *relayEnd) send(p []byte) {
	if len(p) == 0 {
		return
	}
	if err := e.channel.Send(p); err != nil {
		e.relay.close()
	}
}

func (e *relayEnd) refuse(reason string) {
	e.relay.ex.refused(reason, e.peer.RemoteAddress())
	e.relay.close()
}

// throttle holds up the read loop of a peer that relays faster than it may. That
// stops everything the peer sends, as it does with an npm seed, and nobody else.
func (e *relayEnd) throttle(n int) {
	perSecond := e.relay.ex.limits.RelayBytesPerSecond
	if perSecond < 0 || e.peer.Sibling() {
		return // a sibling has held up the peer that it comes from, and to hold it up is to hold up everybody there
	}
	if e.pace == nil {
		e.pace = rate.NewLimiter(rate.Limit(perSecond), relayBurst)
	}
	for n > 0 {
		part := min(n, relayBurst)
		n -= part
		delay := e.pace.ReserveN(time.Now(), part).Delay()
		if delay > 0 {
			e.peer.rest(delay)
		}
	}
}

// guardFor returns what checks the signals of a v0 relay.
func (ex *Exchange) guardFor(transport string) *wire.Guard {
	if transport != transports.WebRTC {
		return nil
	}
	return wire.NewGuardV0(ex.limits.signalBytes())
}
