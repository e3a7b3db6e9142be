package turn

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// port is a bound relayed address that is nobody's allocation yet. It has been counted.
type port struct {
	socket  *socket
	address netip.AddrPort // as announced
	listen  netip.Addr     // as bound
	release func()
}

// discard gives back a port that nobody needs; nil is none.
func (p *port) discard() {
	if p != nil {
		p.socket.close()
		p.release()
	}
}

// portWish says what a port should be like.
type portWish struct {
	even  bool
	after *port // the one after this
}

// maxBindFailures is how many ports of the range may be somebody else's before an
// allocation is refused.
const maxBindFailures = 64

var errNoPort = errors.New("no port is free")

// bindPort binds a free port, from a random one upwards.
func (s *Server) bindPort(wish portWish, release func()) (*port, error) {
	if wish.after != nil {
		ip := RelayIP{Announce: wish.after.address.Addr(), Listen: wish.after.listen}
		n := wish.after.address.Port() + 1
		if n == 0 || !s.cfg.RelayPorts.contains(n) {
			return nil, errNoPort
		}
		return bindAt(ip, n, release)
	}
	ip := s.cfg.RelayIPs[rand.IntN(len(s.cfg.RelayIPs))]
	first, count := int(s.cfg.RelayPorts.Min), int(s.cfg.RelayPorts.Max)-int(s.cfg.RelayPorts.Min)+1
	start, failures := rand.IntN(count), 0
	for i := range count {
		n := uint16(first + (start+i)%count)
		if wish.even && n%2 != 0 || s.isRelay(netip.AddrPortFrom(ip.Announce, n)) {
			continue
		}
		p, err := bindAt(ip, n, release)
		if err == nil {
			return p, nil
		}
		// Another port is no help if the system has had enough.
		if failures++; failures >= maxBindFailures || !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, syscall.EACCES) {
			return nil, err
		}
	}
	return nil, errNoPort
}

func bindAt(ip RelayIP, n uint16, release func()) (*port, error) {
	listen := ip.Listen
	if !listen.IsValid() {
		listen = ip.Announce
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(listen, n)))
	if err != nil {
		return nil, fmt.Errorf("bind relayed address: %w", err)
	}
	socket, err := newSocket(conn)
	if err != nil {
		return nil, err
	}
	return &port{socket, netip.AddrPortFrom(ip.Announce, n), listen, release}, nil
}

// reservationTime is how long a reserved port waits (RFC 8656 section 7.2: at least 30
// seconds).
const reservationTime = 30 * time.Second

// reservations are those that pion makes for each allocation of an even port, with a
// port if the next one was asked for too. Pion forgets each after that time and not
// before, by looking through all that there are. So each is counted as an allocation,
// which bounds them, whatever becomes of its port and of the allocation.
type reservations struct {
	mu sync.Mutex
	// Guarded by mu.
	closed bool
	tokens map[[tokenBytes]byte]*reservation
}

type reservation struct {
	port     *port // nil if there is none, or none any more
	username string
	release  func() // of the quotas
	timer    *time.Timer
}

// discard gives back what is left of it.
func (k *reservation) discard() {
	k.port.discard()
	k.release()
}

// keep keeps a reservation for a while, with a port or nil.
func (r *reservations) keep(token [tokenBytes]byte, username string, p *port, release func()) {
	kept := &reservation{port: p, username: username, release: release}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.tokens[token] != nil {
		kept.discard()
		return
	}
	if r.tokens == nil {
		r.tokens = make(map[[tokenBytes]byte]*reservation)
	}
	kept.timer = time.AfterFunc(reservationTime, func() { r.forget(token) })
	r.tokens[token] = kept
}

// claim returns the port of a token, or nil.
func (r *reservations) claim(token [tokenBytes]byte, username string) *port {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.tokens[token]
	if kept == nil || kept.username != username {
		return nil
	}
	p := kept.port
	kept.port = nil
	return p
}

// forget ends a reservation.
func (r *reservations) forget(token [tokenBytes]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if kept := r.tokens[token]; kept != nil {
		kept.discard()
		delete(r.tokens, token)
	}
}

func (r *reservations) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for token, kept := range r.tokens {
		kept.timer.Stop()
		kept.discard()
		delete(r.tokens, token)
	}
}
