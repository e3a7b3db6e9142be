package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/peerexchange/peerexchange/pkg/transports"
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

// Maintainer keeps a node connected: to seeds, and through them to a number of
// other peers. It replaces those that are lost, for as long as Run runs.
type Maintainer struct {
	// Static after construction.
	ex     *Exchange
	config MaintainerConfig
	seedAt map[string]target // Config.Seeds by their addresses without tokens
	book   *addressBook
	// unreached asks for a new bootstrap document.
	unreached chan struct{}

	running sync.WaitGroup // what Run has started

	mu sync.Mutex
	// Guarded by mu.
	seeds map[*Peer]string // connected seeds and their addresses
	used  map[string]int   // how many seed connections are busy with an address
	// What the bootstrap document says: by address, and the addresses of each seed.
	published      map[string]publishedSeed
	publishedSeeds [][]string
	news           chan struct{} // closed when that changes, and made anew
}

// NewMaintainer makes a maintainer for a node. It fails if an address is none
// that ConnectURL takes, or the store cannot be read.
func NewMaintainer(ex *Exchange, cfg MaintainerConfig) (*Maintainer, error) {
	cfg = cfg.withDefaults()
	seedAt := make(map[string]target, len(cfg.Seeds))
	cfg.Seeds = slices.Clone(cfg.Seeds)
	for i, seed := range cfg.Seeds {
		to, err := parseURL(seed)
		if err != nil {
			return nil, fmt.Errorf("maintain: %w", err)
		}
		// From here on addresses are remembered and logged.
		cfg.Seeds[i], _, _ = strings.Cut(seed, "?")
		seedAt[cfg.Seeds[i]] = to
	}
	book, err := openAddressBook(cfg.Store)
	if err != nil {
		return nil, fmt.Errorf("maintain: %w", err)
	}
	m := &Maintainer{
		ex: ex, config: cfg, seedAt: seedAt, book: book, unreached: make(chan struct{}, 1),
		seeds: make(map[*Peer]string), used: make(map[string]int), news: make(chan struct{}),
	}
	if err := m.checkBootstrap(); err != nil {
		return nil, err
	}
	if cfg.Bootstrap == nil && len(m.addresses()) == 0 {
		return nil, errors.New("maintain: no seed is configured and no address is remembered")
	}
	return m, nil
}

// Run keeps the node connected until ctx ends or the node is closed. It leaves
// the connections as they are, and returns ctx's error or ErrClosed.
func (m *Maintainer) Run(ctx context.Context) error {
	ctx, cancel := m.ex.bound(ctx)
	defer cancel()
	connections := m.config.SeedConnections
	if m.config.Bootstrap == nil {
		connections = min(connections, max(len(m.config.Seeds), 1))
	} else {
		m.running.Go(func() { m.keepBootstrap(ctx) })
	}
	for range connections {
		m.running.Go(func() { m.keepSeed(ctx) })
	}
	if m.config.Peers > 0 {
		m.running.Go(func() { m.keepPeers(ctx) })
	}
	m.running.Wait()
	return context.Cause(ctx)
}

// keepSeed keeps one connection to a seed.
func (m *Maintainer) keepSeed(ctx context.Context) {
	retry := m.newBackoff()
	for ctx.Err() == nil {
		address, ok := m.take(m.addresses())
		if !ok {
			// Every address is in use by another seed connection, or none is known yet.
			m.awaitAddress(ctx, retry.NextBackOff())
			continue
		}
		s, err := m.connect(ctx, address)
		if err == nil {
			connected := time.Now()
			m.hold(ctx, s)
			// A seed that hangs up at once must not be dialed every second.
			if time.Since(connected) > m.config.MaxBackoff {
				retry.Reset()
			}
		} else if ctx.Err() == nil {
			m.notReached(address, err)
		}
		pause(ctx, retry.NextBackOff())
	}
}

// seedConnection is a connection to a seed that the maintainer keeps.
type seedConnection struct {
	peer    *Peer
	address string
	own     bool   // the maintainer has made it, and not the application
	trusted bool   // it is a configured seed, or one that such a one has named
	token   string // presented to it
}

// connect connects to an address that was taken, unless the application has done
// so. If that fails it gives the address back.
func (m *Maintainer) connect(ctx context.Context, address string) (*seedConnection, error) {
	to, configured := m.configuredAt(address)
	return m.connectTo(ctx, address, to, configured, nil)
}

// connectTo is connect for a seed that may be trusted, which is where it is. by is
// who has named it, if somebody has.
func (m *Maintainer) connectTo(ctx context.Context, address string, to target, trusted bool, by *seedConnection) (*seedConnection, error) {
	s := &seedConnection{address: address, trusted: trusted, token: to.token}
	for _, p := range m.ex.Peers() {
		if p.DialedURL() == address && !p.isGoingAway() {
			s.peer = p
			return s, nil
		}
	}
	err := m.dial(ctx, s, to, by)
	if err != nil {
		m.giveBack(address)
		return nil, err
	}
	s.own = true
	return s, nil
}

func (m *Maintainer) dial(ctx context.Context, s *seedConnection, to target, by *seedConnection) (err error) {
	if !s.trusted {
		var namedBy *Peer
		if by != nil {
			namedBy = by.peer
		}
		s.peer, err = m.ex.connectRemembered(ctx, s.address, namedBy)
		return err
	}
	if to.token == "" && m.config.Token != nil {
		if s.token, err = m.config.Token(ctx); err != nil {
			return fmt.Errorf("get a token: %w", err)
		}
	}
	opts := transports.Options{Port: to.port, Secure: to.secure, Token: s.token}
	s.peer, err = m.ex.Connect(ctx, to.transport, to.host, opts)
	return err
}

// hold stays with a seed until it is gone, and with its successor if it goes away.
func (m *Maintainer) hold(ctx context.Context, s *seedConnection) {
	var least time.Time // until when a successor is stayed with
	for s != nil {
		m.remember(s.address)
		m.mu.Lock()
		m.seeds[s.peer] = s.address
		m.mu.Unlock()
		m.ex.wake() // it was counted among the other peers
		select {
		case <-s.peer.Done():
		case <-s.peer.GoingAway():
		case <-ctx.Done():
		}
		var next *seedConnection
		if s.peer.isGoingAway() {
			m.stay(ctx, s, least)
			next = m.succeed(ctx, s)
		}
		if next == nil {
			m.forget(s)
			return
		}
		left := s
		m.running.Go(func() {
			m.leave(ctx, left)
			m.forget(left)
		})
		s, least = next, time.Now().Add(m.config.MinBackoff)
	}
}

// forget is for a connection to a seed that is none any more.
func (m *Maintainer) forget(s *seedConnection) {
	m.giveBack(s.address)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.seeds, s.peer)
}

func (m *Maintainer) remember(address string) {
	if err := m.book.good(address); err != nil {
		m.config.Logger.Warn("addresses not saved", "err", err)
	}
}

// addresses lists where a seed connection may go: the configured seeds, and then
// what is remembered.
func (m *Maintainer) addresses() []string { return append(m.configured(), m.book.list()...) }

// take picks one of addresses for a seed connection: the one that was not tried
// for the longest time.
func (m *Maintainer) take(addresses []string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	best, found := "", false
	for _, address := range addresses {
		if m.busy(address) {
			continue
		}
		if !found || m.book.lastTried(address).Before(m.book.lastTried(best)) {
			best, found = address, true
		}
	}
	if found {
		m.used[best]++
		m.book.tried(best)
	}
	return best, found
}

// takeAfter is take for an address that is known. It is false if it is in use by
// another connection than one that goes away: several seeds may share an address.
func (m *Maintainer) takeAfter(leaving *seedConnection, address string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	others := m.used[address]
	if address == leaving.address {
		others--
	}
	if others > 0 {
		return false
	}
	m.used[address]++
	return true
}

func (m *Maintainer) giveBack(address string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used[address]--; m.used[address] == 0 {
		delete(m.used, address)
	}
}

// keepPeers gets new peers while there are too few.
func (m *Maintainer) keepPeers(ctx context.Context) {
	changed, unsubscribe := m.ex.subscribe()
	defer unsubscribe()
	retry := m.newBackoff()
	for ctx.Err() == nil {
		if m.missing() <= 0 || len(m.ex.Peers()) == 0 {
			retry.Reset()
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		p, err := m.ex.GetNewPeer(ctx)
		if err == nil && m.ex.isCopy(p) {
			pause(ctx, copyGrace)
			p.Close()
			err = errCopy
		}
		if err == nil {
			retry.Reset()
			if url := p.DialedURL(); url != "" {
				m.remember(url)
			}
			continue
		}
		m.config.Logger.Debug("no new peer", "err", err)
		pause(ctx, retry.NextBackOff())
	}
}

// missing is how many peers beside the seeds are wanted still. Those that go away are
// to be replaced while they are there, but no more of them than are wanted: they may
// say so and stay.
func (m *Maintainer) missing() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	others, leaving := 0, 0
	for _, p := range m.ex.Peers() {
		switch _, seed := m.seeds[p]; {
		case seed:
		case p.isGoingAway():
			leaving++
		default:
			others++
		}
	}
	return m.config.Peers - others - max(leaving-m.config.Peers, 0)
}

func (m *Maintainer) newBackoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     m.config.MinBackoff,
		MaxInterval:         m.config.MaxBackoff,
		Multiplier:          2,
		RandomizationFactor: 0.5,
	}
}
