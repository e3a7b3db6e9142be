package seed

import (
	"context"
	"time"
)

// goodbyes is how much of the time for a drain is left for what the last peers
// were sent to arrive.
const goodbyes = 2 * time.Second

// sendAway drains the exchange: its peers go to siblings.
func (s *Seed) sendAway(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok {
		left := time.Until(end)
		earlier, cancel := context.WithTimeout(ctx, left-min(goodbyes, left/5))
		defer cancel()
		ctx = earlier
	}
	return s.exchange.Drain(ctx, s.elsewhere()...)
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
