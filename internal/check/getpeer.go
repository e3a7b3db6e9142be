package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// recorder is a transport by which the stranger reaches the seed, and nobody else:
// who is offered to it is said, and not dialed.
type recorder struct {
	name  string
	check *Check
}

// offer is what the recorder makes of a candidate.
type offer struct{ transport, addr string }

func (o *offer) Error() string { return fmt.Sprintf("offered %s over %s", o.addr, o.transport) }

// Name implements transports.Transport.
func (r recorder) Name() string { return r.name }

// Dial implements transports.Dialer. The seed is dialed by its own host, with
// options that only this check has.
func (r recorder) Dial(ctx context.Context, host string, opts transports.Options) (net.Conn, error) {
	if opts.TLS != nil {
		return r.check.dialer().Dial(ctx, host, opts)
	}
	return nil, &offer{r.name, net.JoinHostPort(host, strconv.Itoa(opts.Port))}
}

// getPeer asks for a peer that accepts connections. Nodes to be introduced to are
// not asked for: they would begin to negotiate.
func (c *Check) getPeer(ctx context.Context) Step {
	_, err := c.nodes.seed.GetNewPeer(ctx)
	var offered *offer
	switch {
	case errors.As(err, &offered):
		return ok("it %v (not dialed)", offered)
	case errors.Is(err, exchange.ErrNoCandidates):
		return ok("answered; nobody yet who accepts connections, which is fine")
	case isTimeout(err):
		return failed("The seed has said hello and does not answer any more: is it overloaded? Its metrics tell (seed_getpeer_total).", "%s", c.why(err))
	}
	return failed("The seed's log may say why.", "%s", c.why(err))
}
