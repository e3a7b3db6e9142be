package memory

import (
	"net"
	"net/netip"
	"sync"
)

// firstEphemeral is where the ports begin that are given to dialing sides and
// to listeners that asked for port 0.
const firstEphemeral = 49152

// Network is what the transports of one test are connected by. A bubble of
// testing/synctest needs a Network of its own.
type Network struct {
	mu sync.Mutex
	// Guarded by mu.
	listeners map[netip.AddrPort]*listener
	offers    map[string]*offer
	nextPort  uint16
	nextOffer int
}

// NewNetwork makes a network without nodes.
func NewNetwork() *Network {
	return &Network{
		listeners: make(map[netip.AddrPort]*listener),
		offers:    make(map[string]*offer),
		nextPort:  firstEphemeral,
	}
}

// register enters a listener under its address, or under a free port of it.
func (n *Network) register(l *listener) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.addr.Port() == 0 {
		l.addr = n.freeLocked(l.addr.Addr())
	}
	if _, taken := n.listeners[l.addr]; taken {
		return false
	}
	n.listeners[l.addr] = l
	return true
}

func (n *Network) unregister(l *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[l.addr] == l {
		delete(n.listeners, l.addr)
	}
}

func (n *Network) listenerAt(addr netip.AddrPort) *listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listeners[addr]
}

// ephemeral is the address of a dialing side.
func (n *Network) ephemeral(host netip.Addr) netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.freeLocked(host)
}

func (n *Network) freeLocked(host netip.Addr) netip.AddrPort {
	for {
		addr := netip.AddrPortFrom(host, n.nextPort)
		n.nextPort++
		if n.nextPort < firstEphemeral {
			n.nextPort = firstEphemeral
		}
		if _, taken := n.listeners[addr]; !taken {
			return addr
		}
	}
}

func tcpAddr(addr netip.AddrPort) *net.TCPAddr { return net.TCPAddrFromAddrPort(addr) }
