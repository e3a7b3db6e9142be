package check

import (
	"context"
	"net"
	"sync"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// agent is what the seed and its log are told that the nodes of a check are.
const agent = "seed-check"

// nodes are those that a check connects to the seed.
type nodes struct {
	stranger *exchange.Exchange // asks for anybody
	seed     *exchange.Peer     // as the stranger sees it
	pair     *pair              // nil unless it stands
}

func (n *nodes) close() {
	var closing sync.WaitGroup
	defer closing.Wait()
	if n.pair != nil {
		closing.Go(n.pair.close)
	}
	if n.stranger != nil {
		closing.Go(func() { n.stranger.Close() })
	}
}

// path is a transport that only dials, under a name of its own, so that a node
// which has it is offered nobody to dial.
type path struct {
	name string
	dial func(ctx context.Context, host string, opts transports.Options) (net.Conn, error)
}

// Name implements transports.Transport.
func (p path) Name() string { return p.name }

// Dial implements transports.Dialer.
func (p path) Dial(ctx context.Context, host string, opts transports.Options) (net.Conn, error) {
	return p.dial(ctx, host, opts)
}

// dialer is the transport by which clients reach the seed.
func (c *Check) dialer() transports.Dialer {
	if c.target.raw {
		return tcp.New(tcp.Config{})
	}
	return websocket.New(websocket.Config{})
}

// newNode is a node of the network that is no more than the check needs.
func (c *Check) newNode(onPeer func(*exchange.Peer), ways ...transports.Transport) (*exchange.Exchange, error) {
	return exchange.New(c.network, exchange.Config{
		Transports: ways, Agent: agent, OnPeer: onPeer,
		RequestTimeout: c.config.Timeout,
	})
}
