package exchange

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	// bootstrapInterval is about how old the bootstrap document of a Maintainer gets.
	bootstrapInterval = time.Hour
	// bootstrapPause is about how long after one the next is fetched if a seed is not
	// reached.
	bootstrapPause = time.Minute
)

// publishedSeed is what a bootstrap document says of the seed at an address.
type publishedSeed struct {
	to  target
	all []string // addresses of the seed, this one among them
}

func (m *Maintainer) checkBootstrap() error {
	source := m.config.Bootstrap
	if source == nil {
		return nil
	}
	if source.Network != "" && source.Network != m.ex.id {
		return fmt.Errorf("maintain: %w: the bootstrap document's is to be %q, and the node's is %q", ErrNetworkMismatch, source.Network, m.ex.id)
	}
	if _, err := source.parseURL(); err != nil {
		return fmt.Errorf("maintain: the bootstrap document: %w", err)
	}
	return nil
}

// keepBootstrap fetches the bootstrap document at the start, from time to time, and
// when a seed is not reached.
func (m *Maintainer) keepBootstrap(ctx context.Context) {
	retry := m.newBackoff()
	for ctx.Err() == nil {
		b, err := m.config.Bootstrap.fetchOf(ctx, m.ex.id, m.ex.config.TLS)
		if err != nil {
			if ctx.Err() == nil {
				m.config.Logger.Warn("bootstrap document not fetched", "err", err)
			}
			pause(ctx, retry.NextBackOff())
			continue
		}
		m.publish(b)
		if len(b.Addresses()) == 0 {
			// A network that has just begun: its first seed serves this until it
			// is told where it is reached itself.
			m.config.Logger.Info("bootstrap document names no seed yet")
			pause(ctx, retry.NextBackOff())
			continue
		}
		retry.Reset()
		pause(ctx, bootstrapPause/2+rand.N(bootstrapPause))
		timer := time.NewTimer(bootstrapInterval/2 + rand.N(bootstrapInterval))
		select {
		case <-timer.C:
		case <-m.unreached:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// publish takes over the seeds of a bootstrap document in place of those of the one
// before. Connections that there are stay.
func (m *Maintainer) publish(b *Bootstrap) {
	published := make(map[string]publishedSeed)
	var seeds [][]string
	for _, seed := range b.Seeds {
		addresses := slices.DeleteFunc(slices.Clone(seed.Addresses), func(a string) bool { return CheckURL(a) != nil })
		for _, address := range addresses {
			to, _ := parseURL(address) // it was checked
			published[address] = publishedSeed{to, addresses}
		}
		seeds = append(seeds, addresses)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for address := range m.published {
		if _, stays := published[address]; !stays {
			m.book.untry(address)
		}
	}
	m.published, m.publishedSeeds = published, seeds
	close(m.news)
	m.news = make(chan struct{})
}

// configuredAt tells where an address is if it is one of a configured seed or of the
// bootstrap document.
func (m *Maintainer) configuredAt(address string) (target, bool) {
	if to, ok := m.seedAt[address]; ok {
		return to, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	seed, ok := m.published[address]
	return seed.to, ok
}

// configured lists the configured seeds in random order, and then those of the
// bootstrap document, in random order, each with its best address first.
func (m *Maintainer) configured() []string {
	addresses := slices.Clone(m.config.Seeds)
	rand.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	m.mu.Lock()
	seeds := slices.Clone(m.publishedSeeds)
	m.mu.Unlock()
	rand.Shuffle(len(seeds), func(i, j int) { seeds[i], seeds[j] = seeds[j], seeds[i] })
	return append(addresses, slices.Concat(seeds...)...)
}

// busy tells whether a seed connection is at an address, or at another one of the
// same seed. m.mu is held.
func (m *Maintainer) busy(address string) bool {
	return m.used[address] > 0 ||
		slices.ContainsFunc(m.published[address].all, func(other string) bool { return m.used[other] > 0 })
}

// awaitAddress waits until there may be an address that is in no use.
func (m *Maintainer) awaitAddress(ctx context.Context, d time.Duration) {
	m.mu.Lock()
	news := m.news
	m.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-news:
	case <-ctx.Done():
	}
}

// notReached is for a seed that could not be connected to: its address may be old.
func (m *Maintainer) notReached(address string, err error) {
	m.config.Logger.Info("seed not reached", "seed", address, "err", err)
	if errors.Is(err, ErrDuplicate) {
		return
	}
	select {
	case m.unreached <- struct{}{}:
	default: // it is going to be fetched
	}
}
