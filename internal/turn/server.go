package turn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/turn/v2"

	"github.com/peerexchange/peerexchange/internal/accept"
)

// Server is a TURN and STUN server.
type Server struct {
	// Static after construction.
	cfg          Config
	began        time.Time
	filter       filter
	quotas       *quotas
	challenges   *challenges
	metrics      *metrics
	notices      *notices
	rate         bucket
	nat          []RelayIP // those that are bound elsewhere
	udp          []*datagrams
	listeners    []Listener
	streams      streams
	reservations reservations
	done         chan struct{} // closed by Close

	running sync.WaitGroup // whoever is in ReadFrom of a gate or a relay, or accepts

	mu sync.RWMutex
	// Guarded by mu.
	started, closed bool
	relays          map[netip.AddrPort]*relay
}

// New listens. Whoever gets a server calls Close or Shutdown, whether it runs or not.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	own, err := newOwnAddresses(cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, began: time.Now(),
		quotas:     newQuotas(cfg.Limits),
		challenges: newChallenges(cfg.Limits.Challenges, challengeClients),
		metrics:    newMetrics(),
		notices:    &notices{logger: cfg.Logger, last: make(map[[2]string]time.Time)},
		streams:    streams{limit: cfg.Limits.PendingConnections},
		done:       make(chan struct{}),
		relays:     make(map[netip.AddrPort]*relay),
		filter: filter{
			allow: cfg.AllowPeers, deny: cfg.DenyPeers, own: own, ports: cfg.RelayPorts, siblings: cfg.Siblings,
		},
	}
	s.rate.init(cfg.Limits.Bytes)
	for _, ip := range cfg.RelayIPs {
		s.filter.relays = append(s.filter.relays, ip.Announce)
		if ip.Listen.IsValid() && ip.Listen != ip.Announce {
			s.nat = append(s.nat, ip)
		}
	}
	s.listeners = append(s.listeners, cfg.Listeners...)
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) listen() error {
	for _, address := range s.cfg.TCP {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("listen for TURN on tcp %s: %w", address, err)
		}
		s.listeners = append(s.listeners, Listener{l, TransportTCP})
	}
	for _, address := range s.cfg.UDP {
		sockets, err := listenUDP(s, address, s.cfg.UDPSockets)
		if err != nil {
			return err
		}
		s.udp = append(s.udp, sockets...)
	}
	return nil
}

// Run serves until ctx is done, or Close or Shutdown has ended the server. It returns
// nil then, and an error if it could not go on. Call it once.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.started || s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.started = true
	s.running.Add(len(s.udp) + len(s.listeners))
	s.mu.Unlock()

	failed := make(chan error, len(s.udp)+len(s.listeners))
	for _, d := range s.udp {
		if err := s.start(d.gate, d); err != nil {
			s.running.Done()
			failed <- err
		}
	}
	for _, l := range s.listeners {
		go func() {
			defer s.running.Done()
			err := accept.Loop(l, s.done, s.cfg.Logger, func(conn net.Conn) { s.serve(conn, l.Transport) })
			if err != nil {
				failed <- err
			}
		}()
	}
	var err error
	select {
	case <-ctx.Done():
	case <-s.done:
	case err = <-failed:
	}
	return errors.Join(err, s.Close())
}

// start gives a gate to a pion server of its own, which begins to read.
func (s *Server) start(g *gate, conn net.PacketConn) error {
	_, err := turn.NewServer(turn.ServerConfig{
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn: conn, RelayAddressGenerator: g, PermissionHandler: g.permit,
		}},
		AuthHandler:        g.authenticate,
		Realm:              s.cfg.Realm,
		ChannelBindTimeout: channelTime,
		InboundMTU:         pionMTU,
		LoggerFactory:      pionLogs{s.cfg.Logger},
	})
	return err
}

// Close ends everything at once, and returns when nothing is left. It may be called
// more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	relays := make([]*relay, 0, len(s.relays))
	for _, r := range s.relays {
		relays = append(relays, r)
	}
	s.mu.Unlock()

	var errs []error
	for _, l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("close listener %v: %w", l.Addr(), err))
		}
	}
	for _, d := range s.udp {
		if err := d.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("close socket %v: %w", d.socket.local, err))
		}
	}
	s.streams.close()
	for _, c := range s.streams.snapshot() {
		c.shut()
	}
	for _, r := range relays {
		errs = append(errs, r.Close())
	}
	s.running.Wait()
	s.reservations.close()
	return errors.Join(errs...)
}

// Shutdown makes no more allocations, lets those that there are go on until their
// clients end them, and then closes the server. If ctx is done before, it closes it
// anyway and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	var err error
	select {
	case <-s.quotas.drain():
		// The request that ended the last one is to get its answer.
		for _, d := range s.udp {
			d.gate.settle()
		}
		for _, c := range s.streams.snapshot() {
			c.gate.settle()
		}
	case <-s.done:
	case <-ctx.Done():
		err = fmt.Errorf("wait for allocations to end: %w", ctx.Err())
	}
	return errors.Join(err, s.Close())
}

// Addrs returns what the server listens on, by transport. Of the injected listeners
// it is what they say.
func (s *Server) Addrs(transport string) []net.Addr {
	var addrs []net.Addr
	if transport == TransportUDP {
		for i, d := range s.udp {
			if i == 0 || d.socket.local != s.udp[i-1].socket.local { // one of several that share an address
				addrs = append(addrs, d.LocalAddr())
			}
		}
	}
	for _, l := range s.listeners {
		if l.Transport == transport {
			addrs = append(addrs, l.Addr())
		}
	}
	return addrs
}

// now is a monotonic time in nanoseconds.
func (s *Server) now() int64 { return int64(time.Since(s.began)) }

// addRelay registers a relayed address. It is false if the server is closed.
func (s *Server) addRelay(r *relay) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.relays[r.address] = r
	return true
}

func (s *Server) removeRelay(r *relay) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relays[r.address] == r {
		delete(s.relays, r.address)
	}
}

func (s *Server) isRelay(address netip.AddrPort) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.relays[address]
	return ok
}

// reachable tells whether a peer that a client may talk to is still what it was
// granted for: at this machine's addresses, nothing but relayed addresses is.
func (s *Server) reachable(peer netip.AddrPort) bool {
	for _, ip := range s.filter.relays {
		if ip == peer.Addr() {
			return s.isRelay(peer) || s.filter.isSibling(peer)
		}
	}
	return true
}

// inward returns where this machine itself reaches one of its relayed addresses. The way
// to a NAT and back is not one that every network has.
func (s *Server) inward(to netip.AddrPort) netip.AddrPort {
	for _, ip := range s.nat {
		if ip.Announce == to.Addr() {
			return netip.AddrPortFrom(ip.Listen, to.Port())
		}
	}
	return to
}

// outward undoes inward.
func (s *Server) outward(from netip.AddrPort) netip.AddrPort {
	for _, ip := range s.nat {
		if ip.Listen == from.Addr() && s.cfg.RelayPorts.contains(from.Port()) {
			return netip.AddrPortFrom(ip.Announce, from.Port())
		}
	}
	return from
}
