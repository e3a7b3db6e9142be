package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cenkalti/backoff/v5"
)

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

func (m *Maintainer) remember(address string) {
	forgotten, err := m.book.good(address)
	if err != nil {
		m.config.Logger.Warn("addresses not saved", "err", err)
	}
	for _, a := range forgotten {
		if _, configured := m.configuredAt(a.URL); !configured {
			m.book.untry(a.URL)
		}
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

func (m *Maintainer) newBackoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     m.config.MinBackoff,
		MaxInterval:         m.config.MaxBackoff,
		Multiplier:          2,
		RandomizationFactor: 0.5,
	}
}
