package check

import (
	"context"
	"errors"

	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
)

// introduction has two nodes of this program meet through the seed: one asks for
// a peer, is offered the other, and they negotiate WebRTC through the seed.
func (c *Check) introduction(ctx context.Context) Step {
	if c.nodes.seed.Agent() == "" {
		return notTried("the node there is not of this module, and may not take transports that it does not know")
	}
	p, err := c.connectPair(ctx)
	if err != nil {
		return failed("A first node was taken, and these two were not. "+c.helloHint(err), "connect two nodes: %s", c.why(err))
	}
	c.nodes.pair = p
	ways, done := c.newWays(webrtc.Config{})
	defer done()
	if _, err := p.meet(ctx, ways); err != nil {
		return failed(c.introductionHint(err), "%s", c.why(err))
	}
	return ok("two nodes of this program met through the seed, directly")
}

// newWays makes WebRTC for two nodes that are to meet. done takes it down, which
// the check waits for in the end.
func (c *Check) newWays(config webrtc.Config) (ways [2]*webrtc.Transport, done func()) {
	for i := range ways {
		ways[i] = webrtc.New(config)
	}
	return ways, func() {
		for _, way := range ways {
			c.closing.Go(func() { way.Close() })
		}
	}
}

func (c *Check) introductionHint(err error) string {
	switch {
	case errors.Is(err, errNotIntroduced):
		return "Did the two reach different seeds behind one address? Then these need links to each other, or all clients of a network have to reach one."
	case !c.nodes.pair.heard():
		return "The seed introduced the two and passed none of their signals on: its log says why (msg=refused), such as limits of relays."
	}
	return "Signals went through the seed, and the two found no way to each other on this machine: does its firewall drop UDP from one of its addresses to another?"
}
