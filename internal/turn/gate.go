package turn

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"

	"github.com/pion/stun"
)

// gate is what a pion server sees of the world: it asks the gate who a client is,
// which peers it may talk to, and for relayed addresses, and its requests come from
// and its responses go through the gate. One goroutine of pion's does all that, a
// request at a time; only the sessions are used by others as well.
type gate struct {
	// Static after construction.
	server    *Server
	transport string
	stream    bool // ChannelData is padded
	write     func(p []byte, to netip.AddrPort) error
	deliver   func(b *batch, frames [][]byte, to netip.AddrPort) (sent int)
	changed   func(sessions int) // may be nil

	// Owned by pion's goroutine: the request that pion has, and what became of it.
	req      request
	busy     bool // there is one
	answered bool
	counted  bool      // its answer has been counted against the client's challenges
	key      []byte    // who sent it has this key
	failed   bool      // who sent it has none that is good
	refuse   errorCode // why it is refused, for want of a way to tell pion
	judged   bool      // its peers have been looked at
	ports    []portRanges
	held     *port  // the even port that pion asks for twice
	next     *port  // the one after it, to be reserved
	reserved func() // takes back the count of pion's reservation
	checking stun.Message

	serving sync.Mutex // held while pion has a request

	mu sync.RWMutex
	// Guarded by mu.
	sessions map[netip.AddrPort]*session
}

// errorCode is STUN's (RFC 8489 section 14.8).
type errorCode = stun.ErrorCode

var (
	errRefused  = errors.New("refused")
	errNoTCP    = errors.New("no TCP to peers")
	errNotOurs  = errors.New("no such reservation")
	errUnlikely = errors.New("port asked for was not held")
)

func newGate(s *Server, transport string) *gate {
	return &gate{
		server: s, transport: transport, stream: transport != TransportUDP,
		sessions: make(map[netip.AddrPort]*session),
	}
}

// session returns the one of a client.
func (g *gate) session(client netip.AddrPort) *session {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.sessions[client]
}

// remove forgets a session that is over.
func (g *gate) remove(s *session) {
	g.mu.Lock()
	if g.sessions[s.client] == s {
		delete(g.sessions, s.client)
	}
	n := len(g.sessions)
	g.mu.Unlock()
	if g.changed != nil {
		g.changed(n)
	}
}

// data relays what needs no request: ChannelData and Send indications. It is false if
// the message is something else.
func (g *gate) data(p []byte, from netip.AddrPort, now int64) bool {
	m := g.server.metrics
	if len(p) >= 2 && p[0]>>6 == 1 {
		number, data, ok := parseChannelData(p)
		if !ok {
			m.dropped.add(DroppedMalformed)
			return true
		}
		s := g.session(from)
		if s == nil {
			m.dropped.add(DroppedNoAllocation)
			return true
		}
		peer, ok := s.peer(number, now)
		if !ok {
			m.dropped.add(DroppedNoPermission)
			return true
		}
		s.toPeer(peer, data, now)
		return true
	}
	if len(p) < 2 || binary.BigEndian.Uint16(p) != sendIndication {
		return false
	}
	s := g.session(from)
	if s == nil {
		m.dropped.add(DroppedNoAllocation)
		return true
	}
	peer, data, ok := parseSend(p)
	switch {
	case !ok:
		m.dropped.add(DroppedMalformed)
	case !s.permitted(peer, now):
		m.dropped.add(DroppedNoPermission)
	default:
		s.toPeer(peer, data, now)
	}
	return true
}

// admit looks at a message before pion does, and tells whether pion is to see it. The
// message must stay as it is until finish.
func (g *gate) admit(p []byte, from netip.AddrPort) bool {
	if !g.req.parse(p) || len(p) > maxRequestBytes {
		g.server.metrics.dropped.add(DroppedMalformed)
		return false
	}
	g.req.from = from
	g.answered, g.counted, g.failed, g.judged = false, false, false, false
	g.key, g.refuse = nil, 0
	switch g.req.kind {
	case bindingRequest:
	case allocateRequest, refreshRequest:
		if !g.req.signed && !g.mayChallenge() {
			return false
		}
	case createPermissionRequest, channelBindRequest:
		if g.session(from) == nil {
			// Pion would not answer. Whether it can be is the client's affair.
			_ = g.answer(stun.CodeAllocMismatch)
			return false
		}
		if !g.req.signed && !g.mayChallenge() {
			return false
		}
	default:
		g.server.metrics.dropped.add(DroppedMalformed)
		return false
	}
	g.serving.Lock()
	g.busy = true
	return true
}

// mayChallenge counts an answer to whoever has not shown credentials, of which each
// client gets so many.
func (g *gate) mayChallenge() bool {
	if g.counted {
		return true
	}
	g.counted = true
	if !g.server.challenges.allow(g.req.from.Addr(), g.server.now()) {
		g.server.metrics.refused.add(QuotaChallenges)
		return false
	}
	return true
}

// finish comes after pion is done with a request.
func (g *gate) finish() {
	if !g.busy {
		return
	}
	if !g.answered && g.key != nil {
		// Pion is silent about an allocation that is not there (RFC 8656 section 7.2:
		// 437).
		_ = g.answer(stun.CodeAllocMismatch)
	}
	g.held.discard()
	g.next.discard()
	if g.reserved != nil {
		g.reserved()
	}
	g.held, g.next, g.reserved = nil, nil, nil
	g.busy = false
	g.serving.Unlock()
}

// settle waits until a request that pion has is answered.
func (g *gate) settle() {
	g.serving.Lock()
	g.serving.Unlock() //nolint:staticcheck // it is held by nobody any more
}

// respond takes pion's response to the request.
func (g *gate) respond(p []byte) error {
	if !g.busy || len(p) < headerBytes || [idBytes]byte(p[8:headerBytes]) != g.req.id {
		return nil // nothing that was asked for
	}
	g.answered = true
	switch binary.BigEndian.Uint16(p) & classMask {
	case successClass:
		g.granted(p)
	case errorClass:
		switch {
		case g.refuse != 0:
			return g.answer(g.refuse)
		case g.failed:
			return g.answer(stun.CodeUnauthorized)
		case g.key == nil && !g.mayChallenge():
			return nil
		}
	}
	return g.write(p, g.req.from)
}

// answer sends an error response in place of pion's.
func (g *gate) answer(code errorCode) error {
	g.answered = true
	if g.key == nil && !g.mayChallenge() {
		return nil
	}
	kind := stun.MessageType{}
	kind.ReadValue(g.req.kind | errorClass)
	setters := []stun.Setter{stun.NewTransactionIDSetter(g.req.id), kind, code}
	switch {
	case code == stun.CodeUnauthorized:
		// The nonce is good, or pion would have said that it is not.
		setters = append(setters, stun.NewNonce(string(g.req.nonce)), stun.NewRealm(g.server.cfg.Realm))
	case g.key != nil:
		setters = append(setters, stun.MessageIntegrity(g.key))
	}
	m, err := stun.Build(setters...)
	if err != nil {
		return err
	}
	return g.write(m.Raw, g.req.from)
}
