package seed

import (
	"fmt"
	"net"
	"net/netip"
)

// proxies are the networks of those who pass connections on to the seed. Their
// word on whom a connection is from is taken, and nobody else's.
type proxies []netip.Prefix

// parseProxies reads networks such as 10.0.0.0/8, and single addresses.
func parseProxies(texts []string) (proxies, error) {
	var out proxies
	for _, text := range texts {
		network, err := parseNetwork(text)
		if err != nil {
			return nil, err
		}
		out = append(out, network)
	}
	return out, nil
}

// parseNetwork refuses what is ambiguous: whoever is in the network by mistake
// can pretend to be anybody.
func parseNetwork(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no network; want a CIDR such as 10.0.0.0/8 or 2001:db8::/32, or an IP address", text)
	}
	if network.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is an IPv4 network in the form of an IPv6 one; write it as IPv4", text)
	}
	if masked := network.Masked(); masked != network {
		return netip.Prefix{}, fmt.Errorf("%q has an address that is not the first of its network; want %s, or %s for that address alone",
			text, masked, network.Addr())
	}
	return network, nil
}

// trust tells whether an address is that of a proxy.
func (p proxies) trust(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, network := range p {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// everybody returns a network that all hosts are in, if there is one.
func (p proxies) everybody() (network netip.Prefix, ok bool) {
	for _, network := range p {
		if network.Bits() == 0 {
			return network, true
		}
	}
	return netip.Prefix{}, false
}

// ipOf is the IP address of a TCP connection's end. It is not valid for any
// other, which no network contains.
func ipOf(addr net.Addr) netip.Addr {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
