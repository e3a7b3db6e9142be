package exchange

import (
	"net"
	"net/netip"
	"sync"
)

// admission counts what strangers take against a limit in total and one for each
// address: incoming connections (Limits.Peers), negotiations that they ask for
// (Limits.Negotiations) and ends of data relays (Limits.RelayDataEnds), before anything
// is spent on them, and bytes that wait in signaling relays (Limits.HeldSignalBytes).
type admission struct {
	// Static after construction.
	name         string // of the total limit; the other one's has "-per-ip" added
	total, perIP int

	mu sync.Mutex
	// Guarded by mu.
	count int
	byIP  map[netip.Prefix]int
}

// acquire reserves n for somebody at addr, or names the limit that is reached.
// Whatever was acquired is released once.
func (a *admission) acquire(addr netip.Prefix, n int) (limit string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !within(a.count+n, a.total) {
		return a.name, false
	}
	if addr.IsValid() {
		if !within(a.byIP[addr]+n, a.perIP) {
			return a.name + "-per-ip", false
		}
		if a.byIP == nil {
			a.byIP = make(map[netip.Prefix]int)
		}
		a.byIP[addr] += n
	}
	a.count += n
	return "", true
}

func (a *admission) release(addr netip.Prefix, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count -= n
	if !addr.IsValid() {
		return
	}
	if a.byIP[addr] -= n; a.byIP[addr] == 0 {
		delete(a.byIP, addr)
	}
}

// admitExpected takes a connection beyond the limits if it comes from where a
// sibling is expected: there are to be links however many strangers there are.
func (ex *Exchange) admitExpected(host netip.Addr) (release func(), ok bool) {
	if ex.mesh == nil || ex.mesh.config.Expects == nil || !ex.mesh.config.Expects(host) {
		return nil, false
	}
	waiting := &ex.mesh.waiting
	if !within(int(waiting.Add(1)), ex.limits.Siblings) {
		waiting.Add(-1)
		return nil, false
	}
	return func() { waiting.Add(-1) }, true
}

// hostOf returns the IP address that a connection comes from, un-mapped and
// without zone, or the zero Addr where the transport has none.
func hostOf(addr net.Addr) netip.Addr {
	if addr == nil {
		return netip.Addr{}
	}
	if tcp, ok := addr.(*net.TCPAddr); ok {
		ip, _ := netip.AddrFromSlice(tcp.IP)
		return ip.Unmap()
	}
	if ap, err := netip.ParseAddrPort(addr.String()); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	ip, _ := netip.ParseAddr(addr.String())
	return ip.Unmap().WithZone("")
}

// ownerOf is whose share of the limits per address a connection takes: of the node
// that it comes from, or if that is not seen because another one carries the
// connection, of that one, which else could carry any number.
func ownerOf(conn net.Conn) netip.Prefix {
	if relayed, ok := conn.(*relayedConn); ok {
		return relayed.via.owner
	}
	return ownedBy(hostOf(conn.RemoteAddr()))
}

// ownedBy is the range of addresses that one customer of a network typically
// has: one IPv4 address, an IPv6 /64.
func ownedBy(ip netip.Addr) netip.Prefix { return prefixOf(ip, 32, 64) }

// networkOf is the range that is taken for one network when candidates are
// spread: an IPv4 /24, an IPv6 /48.
func networkOf(ip netip.Addr) netip.Prefix { return prefixOf(ip, 24, 48) }

func prefixOf(ip netip.Addr, bits4, bits6 int) netip.Prefix {
	if !ip.IsValid() {
		return netip.Prefix{}
	}
	bits := bits6
	if ip.Is4() {
		bits = bits4
	}
	prefix, _ := ip.Prefix(bits)
	return prefix
}
