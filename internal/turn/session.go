package turn

import (
	"net/netip"
	"sync"
	"time"
)

// How long pion keeps what a client was granted (RFC 8656 sections 9 and 12).
const (
	permissionTime = 5 * time.Minute
	channelTime    = 10 * time.Minute
)

// session is what is known of an allocation: whose it is, and what its client was
// granted.
type session struct {
	// Static after construction.
	gate     *gate
	client   netip.AddrPort
	username string
	key      []byte // of the credential, which the client goes on using whatever becomes of the secret
	relay    *relay
	rate     bucket

	mu sync.Mutex
	// Guarded by mu. What has expired stays until there is no room.
	permissions map[netip.Addr]permission
	channels    map[uint16]channel
	numbers     map[netip.AddrPort]uint16 // of channels
}

// permission is what a client may exchange with an address. Times are as of [Server.now].
type permission struct {
	expires int64
	ports   portRanges
}

type channel struct {
	expires int64
	peer    netip.AddrPort
}

func newSession(g *gate, client netip.AddrPort, username string, key []byte) *session {
	s := &session{
		gate: g, client: client, username: username, key: key,
		permissions: make(map[netip.Addr]permission),
		channels:    make(map[uint16]channel),
		numbers:     make(map[netip.AddrPort]uint16),
	}
	s.rate.init(g.server.cfg.Limits.BytesPerAllocation)
	return s
}

// hasRoom tells whether permissions for the peers, and a channel if it is for one, are
// within a limit. Refreshing what is there needs no room.
func (s *session) hasRoom(peers []netip.AddrPort, number uint16, limit int, now int64) bool {
	if limit < 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	more := make(map[netip.Addr]struct{}, len(peers))
	for _, peer := range peers {
		if _, there := s.permissions[peer.Addr()]; !there {
			more[peer.Addr()] = struct{}{}
		}
	}
	if len(s.permissions)+len(more) > limit {
		return false
	}
	_, there := s.channels[number]
	return number == 0 || there || len(s.channels) < limit
}

// forget removes what has expired.
func (s *session) forget(now int64) {
	for ip, p := range s.permissions {
		if p.expires <= now {
			delete(s.permissions, ip)
		}
	}
	for number, c := range s.channels {
		if c.expires <= now {
			delete(s.channels, number)
			delete(s.numbers, c.peer)
		}
	}
}

// permit installs or refreshes a permission.
func (s *session) permit(ip netip.Addr, ports portRanges, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.permissions[ip] = permission{now + int64(permissionTime), ports}
}

// bind installs or refreshes a channel, which pion has found to be no other peer's.
func (s *session) bind(number uint16, peer netip.AddrPort, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[number] = channel{now + int64(channelTime), peer}
	s.numbers[peer] = number
}

// peer returns whose a channel is.
func (s *session) peer(number uint16, now int64) (netip.AddrPort, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.channels[number]
	return c.peer, ok && c.expires > now
}

// permitted tells whether there is a permission for a peer.
func (s *session) permitted(peer netip.AddrPort, now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.permittedLocked(peer, now)
}

func (s *session) permittedLocked(peer netip.AddrPort, now int64) bool {
	p, ok := s.permissions[peer.Addr()]
	return ok && p.expires > now && p.ports.contains(peer.Port())
}

// channel returns the number of a peer's channel, or zero if it has none but may send.
func (s *session) channel(peer netip.AddrPort, now int64) (number uint16, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number, ok := s.numbers[peer]; ok && s.channels[number].expires > now {
		return number, true
	}
	return 0, s.permittedLocked(peer, now)
}

// takeBytes counts n bytes against the quotas, or says no.
func (s *session) takeBytes(n int, now int64) bool {
	server := s.gate.server
	if !s.rate.take(n, now) {
		server.metrics.refused.add(QuotaRate)
		return false
	}
	if !server.rate.take(n, now) {
		s.rate.giveBack(n)
		server.metrics.refused.add(QuotaTotalRate)
		return false
	}
	return true
}

// toPeer relays a message from the client.
func (s *session) toPeer(peer netip.AddrPort, data []byte, now int64) {
	server := s.gate.server
	if !server.reachable(peer) {
		server.metrics.dropped.add(DroppedNoPermission)
		return
	}
	if !s.takeBytes(len(data), now) {
		return
	}
	if s.relay.send(data, peer) != nil {
		server.metrics.dropped.add(DroppedSend)
		return
	}
	server.metrics.toPeer.add(1, len(data))
}
