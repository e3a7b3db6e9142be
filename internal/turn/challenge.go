package turn

import (
	"net/netip"
	"sync"
	"time"
)

// challenges limits how many error responses a client without proven credentials
// gets. An answer of this kind is longer than what it answers, and whoever asks over
// UDP may have somebody else's address.
//
// It remembers at most twice as many clients as its size, in two generations: once
// the younger one is full the older one is forgotten. A flood from many addresses
// thus makes it lenient and not large.
type challenges struct {
	// Static after construction.
	interval int64 // nanoseconds for one answer; zero is no limit
	burst    int64 // nanoseconds
	size     int

	mu sync.Mutex
	// Guarded by mu. The values are as in a [bucket].
	young, old map[netip.Prefix]int64
}

// challengeClients bounds memory to about a megabyte.
const challengeClients = 8192

// newChallenges takes answers a second, of which so many as in five seconds come at
// once. A negative rate is no limit.
func newChallenges(perSecond, size int) *challenges {
	c := &challenges{size: size, young: make(map[netip.Prefix]int64)}
	if perSecond > 0 {
		c.interval = int64(time.Second) / int64(perSecond)
		c.burst = 5 * int64(time.Second)
	}
	return c
}

// allow tells whether a client may get an answer, and counts it.
func (c *challenges) allow(ip netip.Addr, now int64) bool {
	if c.interval == 0 {
		return true
	}
	key := clientKey(ip)
	c.mu.Lock()
	defer c.mu.Unlock()
	full, ok := c.young[key]
	if !ok {
		full = c.old[key]
	}
	next := max(full, now) + c.interval
	allowed := next-now <= c.burst
	if !allowed {
		next = full
	}
	if !ok && len(c.young) >= c.size {
		c.old, c.young = c.young, make(map[netip.Prefix]int64)
	}
	c.young[key] = next
	return allowed
}
