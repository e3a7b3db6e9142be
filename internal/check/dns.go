package check

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// dns finds the host's addresses.
func (c *Check) dns(ctx context.Context) Step {
	if ip, is := c.target.ip(); is {
		c.addrs = []netip.Addr{ip.Unmap()}
		return ok("%v is an address", ip)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", c.target.host)
	if err != nil {
		return failed(dnsHint(err), "%s", c.why(err))
	}
	for _, addr := range addrs {
		if addr = addr.Unmap(); !slices.Contains(c.addrs, addr) {
			c.addrs = append(c.addrs, addr)
		}
	}
	var names []string
	for _, addr := range c.addrs {
		names = append(names, addr.String())
	}
	return ok("%s", strings.Join(names, ", "))
}

func dnsHint(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return "Is the name spelled right? It needs an A or AAAA record with the seed's public address; a new one may take as long to be seen as its zone's TTL says."
	}
	return "This machine's resolver gave no answer about the name: does it work for other names?"
}
