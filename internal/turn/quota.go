package turn

import (
	"net/netip"
	"sync"
)

// Which quota refused: the names in [Stats.QuotaRefusals].
const (
	QuotaCredential  = "allocations-per-credential"
	QuotaClient      = "allocations-per-client"
	QuotaTotal       = "allocations"
	QuotaPorts       = "relay-ports"
	QuotaPermissions = "permissions"
	QuotaRate        = "bytes-per-allocation" // one for each message dropped
	QuotaTotalRate   = "bytes"                // the same
	QuotaPending     = "pending-connections"
	QuotaChallenges  = "challenges-per-client"
	QuotaDraining    = "draining"
)

// QuotaNames returns the names in a fixed order.
func QuotaNames() []string {
	return []string{
		QuotaCredential, QuotaClient, QuotaTotal, QuotaPorts, QuotaPermissions, QuotaRate, QuotaTotalRate,
		QuotaPending, QuotaChallenges, QuotaDraining,
	}
}

// quotas count allocations. An allocation is counted before there is anything of it,
// and until its relayed address is closed.
type quotas struct {
	// Static after construction. Negative is no limit.
	perCredential, perClient, total int

	mu sync.Mutex
	// Guarded by mu. Entries are there while they count something.
	credentials map[string]int
	clients     map[netip.Prefix]int
	count       int
	draining    bool
	idle        chan struct{} // closed when draining and nothing is left
}

func newQuotas(l Limits) *quotas {
	return &quotas{
		perCredential: l.AllocationsPerCredential, perClient: l.AllocationsPerClient, total: l.Allocations,
		credentials: make(map[string]int), clients: make(map[netip.Prefix]int), idle: make(chan struct{}),
	}
}

// acquire counts an allocation, or says which quota is against it. Whoever acquired
// calls release once.
func (q *quotas) acquire(credential string, client netip.Prefix) (release func(), refused string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.draining:
		return nil, QuotaDraining
	case reached(q.count, q.total):
		return nil, QuotaTotal
	case reached(q.clients[client], q.perClient):
		return nil, QuotaClient
	case reached(q.credentials[credential], q.perCredential):
		return nil, QuotaCredential
	}
	q.count++
	q.clients[client]++
	q.credentials[credential]++
	return func() { q.release(credential, client) }, ""
}

func reached(n, limit int) bool { return limit >= 0 && n >= limit }

func (q *quotas) release(credential string, client netip.Prefix) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count--
	decrement(q.clients, client)
	decrement(q.credentials, credential)
	if q.draining && q.count == 0 {
		close(q.idle)
	}
}

func decrement[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}

// drain refuses what comes from now on. The channel is closed once nothing is left.
func (q *quotas) drain() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.draining {
		q.draining = true
		if q.count == 0 {
			close(q.idle)
		}
	}
	return q.idle
}

// state returns how many allocations are counted, and whether drain was called.
func (q *quotas) state() (count int, draining bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count, q.draining
}

// clientKey is what an address counts as in limits per client: an IPv6 one as its
// /64, of which every host has all.
func clientKey(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil { // only for no address at all
		return netip.Prefix{}
	}
	return p
}
