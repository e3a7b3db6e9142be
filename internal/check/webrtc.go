package check

import (
	"context"
	"errors"
	"net"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
)

// inside is the name under which two nodes of this program are connected.
const inside = "seed-check-inside"

// webRTC connects to the seed itself by WebRTC. The stranger, which is connected
// to it, introduces to it a node that is connected to nobody else.
func (c *Check) webRTC(ctx context.Context) Step {
	way := webrtc.New(webrtc.Config{})
	asker, err := c.newNode(nil, way, path{inside, func(context.Context, string, transports.Options) (net.Conn, error) {
		near, far := net.Pipe()
		c.nodes.stranger.ServeConn(far, inside)
		return near, nil
	}})
	if err != nil {
		return failed("", "%s", reason(err))
	}
	defer c.closing.Go(func() { asker.Close(); way.Close() })
	stranger, err := asker.Connect(ctx, inside, "stranger", transports.Options{})
	if err != nil {
		return failed("", "%s", c.why(err))
	}
	seed, err := stranger.GetNewPeer(ctx)
	switch {
	case errors.Is(err, exchange.ErrNoCandidates):
		return moot("the seed takes none (--webrtc-listen off), and introductions of others work without it")
	case err != nil:
		return failed("Is the UDP port of --webrtc-listen (3479) open, in the cloud's firewall too? If the machine's public address is not its own, the seed needs --external-ip. "+
			"Only connections to the seed itself are concerned: others are introduced without that port.", "%s", c.why(err))
	}
	return ok("connected to the seed at %v", seed.RemoteAddr())
}
