package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun"
)

// resend is how long an answer over UDP is waited for before the question is
// asked again.
const resend = 300 * time.Millisecond

// stun asks a STUN server over UDP where it sees this machine.
func (c *Check) stun(ctx context.Context) Step {
	if len(c.servers[bySTUN]) == 0 {
		return failed("A seed with --turn-listen names one, unless its bootstrap document has none. If clients are to use TCP only, leave this out with --skip stun.", "/ice names no STUN server")
	}
	var mapped netip.AddrPort
	for _, s := range c.servers[bySTUN] {
		to, err := resolve4(ctx, s)
		if err != nil {
			return failed(resolveHint(err), "%s: %s", s.url, c.why(err))
		}
		if mapped, err = binding(ctx, to); err != nil {
			return failed(fmt.Sprintf("Is %s open, in the cloud's firewall too? Does the network that this runs in let UDP out at all? "+
				"Clients that cannot reach it have TURN over TCP or TLS only, if that.", s.port(bySTUN)), "%s: %s", s.url, c.why(err))
		}
	}
	return ok("this machine is seen at %v", mapped)
}

// errNoIPv4 says that a server has no address that is of use here.
var errNoIPv4 = errors.New("no IPv4 address")

// resolve4 finds the IPv4 address of a server: the TURN client knows no other.
func resolve4(ctx context.Context, s iceServer) (netip.AddrPort, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", s.uri.Host)
	var address *net.AddrError
	if errors.As(err, &address) || err == nil && len(ips) == 0 {
		err = errNoIPv4 // an IPv6 address
	}
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(ips[0].Unmap(), uint16(s.uri.Port)), nil
}

func resolveHint(err error) string {
	if errors.Is(err, errNoIPv4) {
		return "Relayed addresses are IPv4, and most WebRTC clients ask for them over IPv4: give the seed's host an IPv4 address."
	}
	return dnsHint(err)
}

// binding asks again and again until there is an answer, or ctx ends.
func binding(ctx context.Context, to netip.AddrPort) (netip.AddrPort, error) {
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return netip.AddrPort{}, err
	}
	socket, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer socket.Close()
	buf := make([]byte, 1500)
	for ctx.Err() == nil {
		if _, err := socket.Write(request.Raw); err != nil {
			return netip.AddrPort{}, err
		}
		socket.SetReadDeadline(soon(ctx))
		n, err := socket.Read(buf)
		if isTimeout(err) {
			continue
		}
		if err != nil {
			return netip.AddrPort{}, err
		}
		answer := &stun.Message{Raw: buf[:n]}
		var mapped stun.XORMappedAddress
		if answer.Decode() != nil || answer.TransactionID != request.TransactionID || mapped.GetFrom(answer) != nil {
			continue
		}
		ip, _ := netip.AddrFromSlice(mapped.IP)
		return netip.AddrPortFrom(ip.Unmap(), uint16(mapped.Port)), nil
	}
	return netip.AddrPort{}, ctx.Err()
}

// soon is until when to wait before something is sent again.
func soon(ctx context.Context) time.Time {
	at := time.Now().Add(resend)
	if end, bounded := ctx.Deadline(); bounded && end.Before(at) {
		return end
	}
	return at
}
