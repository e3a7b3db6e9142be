package seed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/peerexchange/peerexchange/internal/turn"
)

// reach is from where an address can be reached.
type reach int

const (
	reachMachine reach = iota // from the machine that has it
	reachNetwork              // from its network: it is a private one
	reachPublic
)

func reachOf(ip netip.Addr) reach {
	switch {
	case ip.IsLoopback():
		return reachMachine
	case ip.IsPrivate(), ip.IsLinkLocalUnicast(), sharedRange.Contains(ip):
		return reachNetwork
	default:
		return reachPublic
	}
}

// sharedRange is what providers use between their customers and their NAT (RFC 6598).
var sharedRange = netip.MustParsePrefix("100.64.0.0/10")

// relayAddress finds out where relayed addresses are: at the one that was chosen,
// or the first external one, or the one from which this machine talks to others.
// Where the machine does not have that address itself, somebody translates
// addresses, and the machine's own is the one to listen on.
func relayAddress(ctx context.Context, chosen string, external, machine []netip.Addr) (turn.RelayIP, error) {
	own := outgoingAddress(ctx, machine)
	announce := own
	if chosen != "" {
		ip, err := parseRelayIP(chosen)
		if err != nil {
			return turn.RelayIP{}, err
		}
		announce = ip
	} else if i := slices.IndexFunc(external, netip.Addr.Is4); i >= 0 {
		announce = external[i]
	}
	if announce == own || announce.IsLoopback() || slices.Contains(machine, announce) {
		return turn.RelayIP{Announce: announce}, nil
	}
	return turn.RelayIP{Announce: announce, Listen: own}, nil
}

// outgoingAddress is the IPv4 address that this machine talks to the world from,
// or else any that it has, or the loopback one.
func outgoingAddress(ctx context.Context, machine []netip.Addr) netip.Addr {
	// Nothing is sent: the system only looks for the way to an address that is
	// nobody's (RFC 5737).
	var d net.Dialer
	if conn, err := d.DialContext(ctx, "udp4", "192.0.2.1:9"); err == nil {
		defer conn.Close()
		if udp, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			if ip := udp.AddrPort().Addr().Unmap(); ip.IsGlobalUnicast() {
				return ip
			}
		}
	}
	if i := slices.IndexFunc(machine, netip.Addr.Is4); i >= 0 {
		return machine[i]
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

func parseRelayIP(text string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(text)
	if err != nil || !ip.Unmap().Is4() {
		return netip.Addr{}, fmt.Errorf("%q is no IPv4 address; relayed addresses are IPv4 ones", text)
	}
	ip = ip.Unmap()
	if ip.IsUnspecified() || ip.IsMulticast() {
		return netip.Addr{}, fmt.Errorf("nobody can send to %v", ip)
	}
	return ip, nil
}

// parsePorts reads a range such as 49152-65535.
func parsePorts(text string) (turn.PortRange, error) {
	if text == "" {
		return turn.PortRange{}, nil
	}
	from, to, ok := strings.Cut(text, "-")
	low, err := strconv.ParseUint(from, 10, 16)
	high, highErr := strconv.ParseUint(to, 10, 16)
	if err = errors.Join(err, highErr); !ok || err != nil || low == 0 || low > high {
		return turn.PortRange{}, fmt.Errorf("%q is no range of ports such as %s", text, DefaultTURNRelayPorts)
	}
	return turn.PortRange{Min: uint16(low), Max: uint16(high)}, nil
}
