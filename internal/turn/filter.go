package turn

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// PortRange is a range of ports, both ends included.
type PortRange struct{ Min, Max uint16 }

func (r PortRange) contains(port uint16) bool { return r.Min <= port && port <= r.Max }

// portRanges are the ports at which an address may be talked to.
type portRanges []PortRange

func (rs portRanges) contains(port uint16) bool {
	for _, r := range rs {
		if r.contains(port) {
			return true
		}
	}
	return false
}

var anyPort = portRanges{{1, 65535}}

// Relay is where a TURN server has its relayed addresses.
type Relay struct {
	Addr  netip.Addr
	Ports PortRange
}

// filter decides which peers may be talked to. It denies unless told otherwise.
type filter struct {
	// Static after construction.
	allow, deny []netip.Prefix
	own         *ownAddresses
	relays      []netip.Addr   // this server's, which may be among own
	ports       PortRange      // of relays
	siblings    func() []Relay // may be nil
}

// check returns the ports at which a peer's address may be talked to, or why it may not
// be at all, which is one of [DeniedClasses]. Deny wins, wherever an address hides: each
// form of it that [embedded] finds is looked at as well.
func (f *filter) check(ip netip.Addr) (ports portRanges, denied string) {
	// An IPv6 socket reaches IPv4 by a mapped address: the same peer.
	family := ip.Is4()
	ip = ip.Unmap().WithZone("")
	forms := embedded(append(make([]netip.Addr, 0, 8), ip), ip)
	for _, form := range forms {
		if within(f.deny, form) {
			return nil, DeniedConfigured
		}
	}
	if ports := f.relayPorts(ip); ports != nil && family {
		return ports, ""
	}
	for _, form := range forms {
		if f.own.contain(form) || slices.Contains(f.relays, form) {
			return nil, DeniedOwn
		}
		if class := specialClass(form); class != "" && !within(f.allow, form) {
			denied = class
			if form != ip {
				// What it leads to says more than that it is a way around.
				return nil, denied
			}
		}
	}
	switch {
	case denied != "":
		return nil, denied
	case !family:
		return nil, DeniedFamily
	}
	return anyPort, ""
}

// relayPorts returns where at an address relayed addresses may be, if any. The address
// may be a private one, or this machine's: two clients of which neither reaches more
// than a seed's one port are connected from relay to relay.
func (f *filter) relayPorts(ip netip.Addr) portRanges {
	var ports portRanges
	if slices.Contains(f.relays, ip) {
		ports = append(ports, f.ports)
	}
	if f.siblings != nil {
		for _, r := range f.siblings() {
			if r.Addr.Unmap() == ip {
				ports = append(ports, r.Ports)
			}
		}
	}
	return ports
}

// isSibling tells whether another server may have a relayed address there.
func (f *filter) isSibling(peer netip.AddrPort) bool {
	if f.siblings == nil {
		return false
	}
	for _, r := range f.siblings() {
		if r.Addr.Unmap() == peer.Addr() && r.Ports.contains(peer.Port()) {
			return true
		}
	}
	return false
}

func within(prefixes []netip.Prefix, ip netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// ParsePeers parses what a peer filter is configured with: CIDR prefixes, or single
// addresses. A prefix with bits set beyond its length is an error, since it most likely
// is not what was meant, and so is anything else that is not exactly one of the two.
func ParsePeers(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, err := parsePeer(text)
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

func parsePeer(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is neither an IP address nor a CIDR prefix", text)
		}
		return netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no CIDR prefix", text)
	}
	if p.Masked() != p {
		return netip.Prefix{}, fmt.Errorf("%q has bits beyond the prefix; did you mean %v?", text, p.Masked())
	}
	return unmapPrefix(p)
}

// unmapPrefix makes an IPv4 prefix of an IPv4-mapped one.
func unmapPrefix(p netip.Prefix) (netip.Prefix, error) {
	if !p.Addr().Is4In6() {
		return p, nil
	}
	if p.Bits() < 96 {
		return netip.Prefix{}, fmt.Errorf("%v covers more than IPv4-mapped addresses", p)
	}
	return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96), nil
}
