package turn

import (
	"errors"
	"net"

	"github.com/pion/stun"
)

// Validate implements turn.RelayAddressGenerator.
func (g *gate) Validate() error { return nil }

// AllocateConn implements turn.RelayAddressGenerator. Pion v2 never calls it.
func (g *gate) AllocateConn(string, int) (net.Conn, net.Addr, error) { return nil, nil, errNoTCP }

// AllocatePacketConn implements turn.RelayAddressGenerator. It is called once for each
// new allocation, and not for a retransmitted request; twice if an even port is asked
// for: first to learn of one, by closing what it gets.
func (g *gate) AllocatePacketConn(_ string, want int) (net.PacketConn, net.Addr, error) {
	p, err := g.port(want)
	if err != nil {
		return nil, nil, err
	}
	address := net.UDPAddrFromAddrPort(p.address)
	if g.req.evenPort && want == 0 {
		g.held = p
		return heldPort{}, address, nil
	}
	return g.open(p), address, nil
}

// port returns the port for the request. If there is none, refuse says why.
func (g *gate) port(want int) (*port, error) {
	switch {
	case want != 0:
		p := g.held
		if p == nil || int(p.address.Port()) != want {
			return nil, errUnlikely
		}
		g.held = nil
		return p, nil
	case g.req.transport != protoUDP:
		return nil, g.deny(stun.CodeUnsupportedTransProto)
	case g.req.family != 0 && g.req.family != familyIPv4:
		return nil, g.deny(stun.CodeAddrFamilyNotSupported)
	case g.req.token != nil:
		p := g.server.reservations.claim([tokenBytes]byte(g.req.token), string(g.req.username))
		if p == nil {
			g.refuse = stun.CodeInsufficientCapacity
			return nil, errNotOurs
		}
		return p, nil
	}
	if g.req.evenPort {
		var err error
		if g.reserved, err = g.count(); err != nil {
			return nil, err
		}
	}
	p, err := g.acquire(portWish{even: g.req.evenPort})
	if err != nil || !g.req.nextPort {
		return p, err
	}
	for range 16 { // until one is found of which the next is free, too
		g.next, err = g.acquire(portWish{after: p})
		if err == nil || g.refuse != stun.CodeInsufficientCapacity {
			break
		}
		p.discard()
		if p, err = g.acquire(portWish{even: true}); err != nil {
			return nil, err
		}
	}
	if g.next == nil {
		p.discard()
		return nil, g.deny(stun.CodeInsufficientCapacity)
	}
	g.refuse = 0
	return p, nil
}

// deny keeps for the answer what pion has no error for.
func (g *gate) deny(code errorCode) error {
	g.refuse = code
	return errRefused
}

// count counts an allocation for the request.
func (g *gate) count() (release func(), err error) {
	release, refused := g.server.quotas.acquire(quotaName(string(g.req.username)), clientKey(g.req.from.Addr()))
	switch refused {
	case "":
		return release, nil
	case QuotaClient, QuotaCredential:
		err = g.deny(stun.CodeAllocQuotaReached)
	default:
		err = g.deny(stun.CodeInsufficientCapacity)
	}
	g.refused(refused)
	return nil, err
}

// acquire counts an allocation and binds its port.
func (g *gate) acquire(wish portWish) (*port, error) {
	release, err := g.count()
	if err != nil {
		return nil, err
	}
	p, err := g.server.bindPort(wish, release)
	if err != nil {
		release()
		if wish.after == nil {
			g.refused(QuotaPorts)
		}
		return nil, errors.Join(err, g.deny(stun.CodeInsufficientCapacity))
	}
	return p, nil
}

func (g *gate) refused(quota string) {
	g.server.metrics.refused.add(quota)
	g.server.notices.info("allocation refused", quota, "remote_addr", g.req.from)
}

// open makes an allocation of a port. Pion reads from it from now on.
func (g *gate) open(p *port) *relay {
	server := g.server
	s := newSession(g, g.req.from, string(g.req.username), g.key)
	s.relay = newRelay(s, p)
	server.running.Add(1)
	server.metrics.allocations.add(g.transport)
	server.metrics.allocationsTotal.add(g.transport)
	server.cfg.Logger.Debug("allocation made", "remote_addr", s.client, "relay_addr", p.address)
	g.mu.Lock()
	g.sessions[s.client] = s
	n := len(g.sessions)
	g.mu.Unlock()
	if g.changed != nil {
		g.changed(n)
	}
	if !server.addRelay(s.relay) {
		s.relay.Close() // the server is closed
	}
	return s.relay
}

// heldPort is what pion gets to see of a port that it closes at once.
type heldPort struct{ net.PacketConn }

// Close does nothing: the port is to be there when pion asks for it.
func (heldPort) Close() error { return nil }
