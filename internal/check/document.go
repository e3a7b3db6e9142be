package check

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// bootstrap is what a client needs of /.well-known/peer-exchange.
type bootstrap struct {
	exchange.Bootstrap
	Agent string `json:"agent"`
}

// maxAddressesShown is how many of a document's addresses are shown.
const maxAddressesShown = 2

// document asks for the bootstrap document, and takes the network ID from it if
// none was given.
func (c *Check) document(ctx context.Context) Step {
	var doc bootstrap
	if err := c.get(ctx, "/.well-known/peer-exchange", &doc); err != nil {
		return failed(c.httpHint(err), "%s", c.why(err))
	}
	if doc.Network == "" {
		return failed(c.httpHint(errNotJSON), "%v", errNotJSON)
	}
	c.agent = printable(doc.Agent)
	if c.network == "" {
		c.network = doc.Network
	}
	if doc.Network != c.network {
		return failed("Nodes of different networks part. Is the URL that of another seed, or --network-id another network's, here or at the seed?",
			"the seed is of the network %q, not %q", doc.Network, c.network)
	}
	var addresses []string
	for _, seed := range doc.Seeds {
		addresses = append(addresses, seed.Addresses...)
	}
	found := fmt.Sprintf("network %q at %s", doc.Network, list(addresses))
	if c.isPublic() && !slices.ContainsFunc(addresses, isReachable) {
		return warning("None of these can be reached from elsewhere: start the seed with --external-ip and the address that it has for others.", "%s", found)
	}
	return ok("%s", found)
}

// list is some of a document's addresses, for people.
func list(addresses []string) string {
	if len(addresses) == 0 {
		return "no address"
	}
	shown := strings.Join(addresses[:min(len(addresses), maxAddressesShown)], ", ")
	if more := len(addresses) - maxAddressesShown; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	return printable(shown)
}

// isPublic tells whether the seed was reached as the world does.
func (c *Check) isPublic() bool { return slices.ContainsFunc(c.addrs, isPublicIP) }

func isPublicIP(ip netip.Addr) bool { return ip.IsGlobalUnicast() && !ip.IsPrivate() }

// isReachable tells whether an address of a document may mean something
// elsewhere. What a name leads to is not looked at.
func isReachable(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return u.Hostname() != "localhost"
	}
	return isPublicIP(ip.Unmap())
}
