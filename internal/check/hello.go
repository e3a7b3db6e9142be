package check

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// hello connects a node to the seed: generation 0's handshake.
func (c *Check) hello(ctx context.Context) Step {
	if c.network == "" {
		return notTried("the network ID is not known, and document does not tell: give --network-id")
	}
	// The stranger announces what it could dial, so that it is offered what there is.
	stranger, err := c.newNode(nil,
		recorder{name: transports.WebSocket, check: c},
		recorder{name: transports.TCP, check: c},
	)
	if err != nil {
		return failed("", "%s", reason(err))
	}
	c.nodes.stranger = stranger
	seed, err := stranger.Connect(ctx, c.dialer().Name(), c.target.host, c.options())
	if err != nil {
		return failed(c.helloHint(err), "%s", c.why(err))
	}
	c.nodes.seed = seed
	who := "a node that does not say what it is"
	if name := seed.Agent(); name != "" {
		c.agent = printable(name)
		who = c.agent
	}
	return ok("%s, network %q, protocol %v", who, c.network, seed.Protocol())
}

func (c *Check) helloHint(err error) string {
	switch {
	case errors.Is(err, exchange.ErrUnauthorized):
		return c.tokenHint()
	case errors.Is(err, exchange.ErrNetworkMismatch):
		return "The seed serves another network: is --network-id right, and is the URL that of the right seed?"
	case errors.Is(err, exchange.ErrVersionMismatch):
		return "The node there speaks generation 1 only, such as one of npm peer-exchange 2.x; seeds of this module speak both."
	case errors.Is(err, exchange.ErrSelf):
		return "Something leads the connection back to this program."
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("It hung up. The seed's log says why, such as reason=peers or peers-per-ip (too many connections in all, or from this address). %s", c.tokenHint())
	case errors.Is(err, exchange.ErrHandshakeTimeout), isTimeout(err):
		return "The connection stands, and no node answers on it: is this the seed's port, or somebody else's?"
	}
	return "The connection stands, and what answers is no seed: is this its port?"
}
