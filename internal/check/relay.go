package check

import (
	"context"

	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
)

// relayBy has two nodes meet by TURN alone, with servers that are reached in one way.
func relayBy(w way) func(*Check, context.Context) Step {
	return func(c *Check, ctx context.Context) Step { return c.relay(ctx, w) }
}

// relay is for nodes that find no direct way: WebRTC from relayed address to
// relayed address. The seed introduces the two, if it does introduce.
func (c *Check) relay(ctx context.Context, w way) Step {
	if len(c.servers[w]) == 0 {
		return moot("the seed offers none")
	}
	config := webrtc.Config{RelayOnly: true, TLS: c.secure}
	for _, s := range c.servers[w] {
		config.ICEServers = append(config.ICEServers, webrtc.ICEServer{URLs: []string{s.url}, Username: s.username, Credential: s.credential})
	}
	ways, done := c.newWays(config)
	defer done()
	meet, how := meetLocally, "signaled within this program"
	if c.results["introduction"].Result == OK {
		meet, how = c.nodes.pair.meet, "introduced by the seed"
	}
	conn, err := meet(ctx, ways)
	if err != nil {
		return failed("An echo through the same server works, and WebRTC does not: the seed's metrics tell whether it has refused anything (seed_turn_quota_refusals_total, seed_turn_permissions_denied_total).",
			"%s", c.why(err))
	}
	if !conn.Relayed() {
		return failed("", "the connection is not relayed")
	}
	return ok("two nodes of this program met by TURN alone, %s", how)
}
