package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// socket is a UDP socket of this machine.
type socket struct{ *net.UDPConn }

func (s socket) relayed() netip.AddrPort { return s.LocalAddr().(*net.UDPAddr).AddrPort() }

// turnPorts sends to a relayed address as a client's peer does, from a socket of
// this machine, and back. Between two relayed addresses of one seed, packets need
// not pass any firewall.
func (c *Check) turnPorts(ctx context.Context) Step {
	s, found := c.anyTURN()
	if !found {
		return notTried("needs one of turn-udp, turn-tcp and turn-tls")
	}
	a, err := c.allocate(ctx, s)
	if err != nil {
		return failed("", "allocate: %s", c.why(err))
	}
	defer a.close()
	here, err := a.client.SendBindingRequest()
	if err != nil {
		return failed("", "ask where this machine is seen: %s", c.why(orContext(ctx, err)))
	}
	ip := here.(*net.UDPAddr).AddrPort().Addr().Unmap()
	if ip == a.relayed().Addr() {
		return notTried("this program runs on the machine that relays: try from another one")
	}
	if err := a.client.CreatePermission(here); isRefused(err, 403) {
		return notTried("the seed relays to public addresses only, and sees this machine at %v: try from outside its network", ip)
	} else if err != nil {
		return failed("", "permit %v: %s", here, c.why(orContext(ctx, err)))
	}
	outside, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(c.socketAddr()))
	if err != nil {
		return failed("", "%s", reason(err))
	}
	defer outside.Close()
	sender, err := deliver(ctx, socket{outside}, a, a.LocalAddr())
	if err != nil {
		return failed(c.portsHint(a.relayed()), "a packet to %v, a relayed address, does not arrive: %s", a.relayed(), unlessEcho(c, err))
	}
	if _, err := deliver(ctx, a, socket{outside}, sender); err != nil {
		return failed("Packets get in and not out: does the seed's machine, or its cloud, let UDP out to any address and port? A firewall of this machine's network may drop it too.",
			"a packet to %v arrives, and none comes back: %s", a.relayed(), unlessEcho(c, err))
	}
	return ok("%v is reached, and reaches %v", a.relayed(), sender)
}

// anyTURN is a server that works.
func (c *Check) anyTURN() (iceServer, bool) {
	for _, w := range []way{byUDP, byTCP, byTLS} {
		if r := c.results["turn-"+string(w)].Result; (r == OK || r == Warning) && len(c.servers[w]) > 0 {
			return c.servers[w][0], true
		}
	}
	return iceServer{}, false
}

// unlessEcho is why, where the details say what did not arrive.
func unlessEcho(c *Check, err error) string {
	if errors.As(err, new(*echoError)) {
		return fmt.Sprintf("nothing within %v", c.config.Timeout)
	}
	return c.why(err)
}

func (c *Check) portsHint(relayed netip.AddrPort) string {
	hint := "Are the UDP ports of --turn-relay-ports (49152-65535) open to the world, in the cloud's firewall too? "
	for _, addr := range c.addrs {
		if addr == relayed.Addr() {
			return hint + "Clients have TURN, and nobody but other clients of it reaches them."
		}
	}
	return hint + fmt.Sprintf("And is %v an address of the seed, whose own is another? Then --external-ip or --turn-relay-ip is wrong.", relayed.Addr())
}
