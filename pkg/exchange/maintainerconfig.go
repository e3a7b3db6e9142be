package exchange

import (
	"context"
	"log/slog"
	"time"
)

// MaintainerConfig configures a [Maintainer]. Zero fields mean their defaults.
type MaintainerConfig struct {
	// Seeds are the addresses to start from, as ConnectURL takes them. One at
	// least, unless there is a Bootstrap or Store remembers some.
	Seeds []string
	// Bootstrap has a document that names seeds, which are taken for no less than
	// Seeds. It is fetched at the start, every hour or so, and when a seed is not
	// reached, about a minute after the last time at the earliest. What was fetched
	// before stays good while it cannot be. Nil is none.
	Bootstrap *BootstrapSource
	// Token returns what to present to Seeds that have no token in their address, and
	// to those of Bootstrap, where a network takes members only. It is called for each attempt, so a token
	// that expires can be made anew; an error puts the attempt off. Addresses that
	// are remembered and were given by other peers get no token. Nil presents none.
	Token func(ctx context.Context) (string, error)
	// SeedConnections is how many seeds the node stays connected to; when one is
	// lost another one is tried, and when one says that it goes away, another one
	// is connected to before it is left: where it says, see Peer.Elsewhere, or else
	// one of Seeds. Default 2, at most as many as there are.
	SeedConnections int
	// Peers is how many peers beside the seeds the node should have. Peers that
	// connected to it count. Default 8; negative for none.
	Peers int
	// Store remembers good addresses across restarts. Nil remembers nothing.
	Store AddressStore
	// MinBackoff and MaxBackoff bound the time between attempts that fail, which
	// doubles each time, give or take a half. Defaults 1 s and 2 min.
	MinBackoff, MaxBackoff time.Duration
	// Logger gets a record for each attempt that fails: at info level for seeds, at
	// debug level for others. Nil discards.
	Logger *slog.Logger
}

func (c MaintainerConfig) withDefaults() MaintainerConfig {
	if c.SeedConnections <= 0 {
		c.SeedConnections = 2
	}
	if c.Peers == 0 {
		c.Peers = 8
	}
	if c.MinBackoff <= 0 {
		c.MinBackoff = time.Second
	}
	if c.MaxBackoff <= 0 {
		c.MaxBackoff = 2 * time.Minute
	}
	c.MaxBackoff = max(c.MaxBackoff, c.MinBackoff)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
