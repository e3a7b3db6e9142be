package seed

import (
	"context"
	"slices"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// goodbyes is how much of the time for a drain is left for what the last peers
// were sent to arrive.
const goodbyes = 2 * time.Second

// lookAgain is how often a draining seed looks for where its peers can go.
const lookAgain = 250 * time.Millisecond

// sendAway drains the exchange: its peers go to siblings.
func (s *Seed) sendAway(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok {
		left := time.Until(end)
		earlier, cancel := context.WithTimeout(ctx, left-min(goodbyes, left/5))
		defer cancel()
		ctx = earlier
	}
	return s.exchange.Drain(ctx, s.awaitElsewhere(ctx)...)
}

// awaitElsewhere returns the addresses for the peers of a seed that drains. A sibling
// may have come up a moment ago, in place of one that was drained before, and be
// published only now. Half of the time is for that: peers that are sent away without an
// address find nobody where they were before.
func (s *Seed) awaitElsewhere(ctx context.Context) []string {
	end, ok := ctx.Deadline()
	if !ok {
		return s.elsewhere()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Until(end)/2)
	defer cancel()
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for {
		addresses := s.elsewhere()
		if len(addresses) > 0 || !s.expectsElsewhere() {
			return addresses
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return s.elsewhere()
		}
	}
}

// expectsElsewhere tells whether there is a sibling that stays, and that somebody will
// publish: who writes a bootstrap document names all seeds in it, in time.
func (s *Seed) expectsElsewhere() bool {
	return s.bootstrap != nil && slices.ContainsFunc(s.exchange.Siblings(), func(sibling exchange.Sibling) bool { return !sibling.Draining })
}

// elsewhere are the addresses of the siblings that stay, or, for a seed that has no
// links, of the other seeds in the bootstrap document.
func (s *Seed) elsewhere() []string {
	var addresses []string
	if s.mesh == nil && s.bootstrap != nil {
		for _, other := range s.bootstrap.current.Load().Seeds {
			if other.Name != s.config.SeedName {
				addresses = append(addresses, other.Addresses...)
			}
		}
	}
	for _, sibling := range s.exchange.Siblings() {
		if !sibling.Draining {
			addresses = append(addresses, sibling.Addresses...)
		}
	}
	return addresses
}
