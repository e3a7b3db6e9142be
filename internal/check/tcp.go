package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
)

// maxAddrs is how many addresses of a host are tried.
const maxAddrs = 16

// tcp connects to each address of the host: clients may get any of them first.
func (c *Check) tcp(ctx context.Context) Step {
	addrs := c.addrs[:min(len(c.addrs), maxAddrs)]
	errs := make([]error, len(addrs))
	var dialing sync.WaitGroup
	for i, addr := range addrs {
		dialing.Go(func() { errs[i] = knock(ctx, netip.AddrPortFrom(addr, uint16(c.target.port))) })
	}
	dialing.Wait()

	var open, closed []string
	var first error
	for i, err := range errs {
		at := netip.AddrPortFrom(addrs[i], uint16(c.target.port)).String()
		switch {
		case err == nil:
			open = append(open, at)
		case addrs[i].Is6() && hasNoRoute(err):
			// That is this machine's want of IPv6.
			closed = append(closed, at+" (no IPv6 here)")
		default:
			closed = append(closed, fmt.Sprintf("%s (%s)", at, brief(err)))
			if first == nil {
				first = err
			}
		}
	}
	switch {
	case len(open) == 0 && first == nil:
		return failed("The host has IPv6 addresses only, and this machine has no IPv6. Others are in the same position: give the host an IPv4 address and an A record too.",
			"%s", strings.Join(closed, ", "))
	case len(open) == 0:
		return failed(c.tcpHint(first), "%s", strings.Join(closed, ", "))
	case first != nil:
		return warning("Clients try this address too, and some try only one: let the seed be reached at it, or take it out of DNS.",
			"%s; not %s", strings.Join(open, ", "), strings.Join(closed, ", "))
	case len(closed) > 0:
		return ok("%s; not tried %s", strings.Join(open, ", "), strings.Join(closed, ", "))
	}
	return ok("%s", strings.Join(open, ", "))
}

func knock(ctx context.Context, addr netip.AddrPort) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return err
	}
	return conn.Close()
}

// hasNoRoute tells that an error is of this machine's own network.
func hasNoRoute(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// brief is what a dial failed with, without the address.
func brief(err error) string {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case isTimeout(err):
		return "no answer"
	}
	return reason(err)
}

func (c *Check) tcpHint(err error) string {
	port := c.target.port
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		hint := fmt.Sprintf("The machine is there, and nothing takes connections at port %d: does the seed run, and is its --listen :%d? On the machine, ss -ltnp shows who listens where.", port, port)
		if port == 443 || port == 80 {
			hint += " The seed's own default is port 8443: try " + target{host: c.target.host, port: 8443, secure: true}.url()
		}
		return hint
	case isTimeout(err):
		return fmt.Sprintf("Something drops the packets: is %d/tcp open in the machine's firewall, and in the cloud's (security group)? Is the address the machine's present one?", port)
	case errors.Is(err, syscall.EHOSTUNREACH), hasNoRoute(err):
		return "There is no way from this machine to that address: is it a public one, and does the network work for others?"
	}
	return "Is the seed running, and does this network let connections to that port out?"
}
