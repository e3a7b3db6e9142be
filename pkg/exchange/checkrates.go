package exchange

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// checkRates holds the checks of candidates to their limits. Whoever announces a
// candidate makes this node dial the announcer's own address, which may be that
// of a whole building: nobody is to find out through this node what listens there,
// or to have it flooded.
//
// Guarded by Exchange.mu.
type checkRates struct {
	total    *rate.Limiter
	hosts    map[netip.Prefix]*checkedHost
	networks map[netip.Prefix]*rate.Limiter
	sweepAt  int // how many hosts or networks there may be before old ones go
}

// checkedHost is one IPv4 address or one IPv6 /64.
type checkedHost struct {
	rate  *rate.Limiter
	ports map[int]time.Time // that were dialed, and when each is forgotten
}

// portsRememberedFor is the time that Limits.CheckedPortsPerIP is about.
const portsRememberedFor = time.Hour

// untilNext is how long it takes until any check may be made.
func (r *checkRates) untilNext(limits *Limits, now time.Time) time.Duration {
	if limits.ChecksPerSecond < 0 {
		return 0
	}
	if r.total == nil {
		r.total = rate.NewLimiter(rate.Limit(limits.ChecksPerSecond), limits.ChecksPerSecond)
	}
	return missing(r.total, now)
}

// missing is how long it takes until a limiter has a token.
func missing(l *rate.Limiter, now time.Time) time.Duration {
	reserved := l.ReserveN(now, 1)
	defer reserved.CancelAt(now)
	return reserved.DelayFrom(now)
}

// take counts a check of a listing, or tells how long it has to wait.
func (r *checkRates) take(limits *Limits, l *listing, now time.Time) (wait time.Duration) {
	r.sweep(now)
	host := r.host(ownedBy(l.peer.addr), limits)
	bounds := []*rate.Limiter{l.peer.checkRate(limits), host.rate, r.network(networkOf(l.peer.addr), limits)}
	for _, bound := range bounds {
		if bound != nil {
			wait = max(wait, missing(bound, now))
		}
	}
	wait = max(wait, host.untilPort(l.port, limits.CheckedPortsPerIP, now))
	if wait > 0 {
		return wait
	}
	for _, bound := range append(bounds, r.total) {
		if bound != nil {
			bound.AllowN(now, 1)
		}
	}
	host.ports[l.port] = now.Add(portsRememberedFor)
	return 0
}

// perMinute makes a limiter, or nil for no limit.
func perMinute(n int) *rate.Limiter {
	if n < 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(float64(n)/60), n)
}

// checkRate is the share of one peer. The caller holds ex.mu.
func (p *Peer) checkRate(limits *Limits) *rate.Limiter {
	if p.checks == nil {
		p.checks = perMinute(limits.ChecksPerPeer)
	}
	return p.checks
}

func (r *checkRates) host(of netip.Prefix, limits *Limits) *checkedHost {
	h := r.hosts[of]
	if h == nil {
		h = &checkedHost{rate: perMinute(limits.ChecksPerIP), ports: make(map[int]time.Time)}
		if r.hosts == nil {
			r.hosts = make(map[netip.Prefix]*checkedHost)
		}
		r.hosts[of] = h
	}
	return h
}

func (r *checkRates) network(of netip.Prefix, limits *Limits) *rate.Limiter {
	l, ok := r.networks[of]
	if !ok {
		l = perMinute(limits.ChecksPerNetwork)
		if r.networks == nil {
			r.networks = make(map[netip.Prefix]*rate.Limiter)
		}
		r.networks[of] = l
	}
	return l
}

// untilPort is how long it takes until a port may be dialed.
func (h *checkedHost) untilPort(port, limit int, now time.Time) time.Duration {
	if _, again := h.ports[port]; again || within(len(h.ports)+1, limit) {
		return 0
	}
	var first time.Time
	for old, until := range h.ports {
		if !now.Before(until) {
			delete(h.ports, old)
		} else if first.IsZero() || until.Before(first) {
			first = until
		}
	}
	if within(len(h.ports)+1, limit) {
		return 0
	}
	return first.Sub(now)
}

// leastSwept is how many hosts or networks are held without a second thought.
const leastSwept = 1024

// sweep forgets hosts and networks that have not been of interest for long enough
// to have all of their share again. It looks at all of them once for each time
// that as many have come, so that it costs next to nothing for each.
func (r *checkRates) sweep(now time.Time) {
	if len(r.hosts)+len(r.networks) < max(r.sweepAt, leastSwept) {
		return
	}
	for of, h := range r.hosts {
		for port, until := range h.ports {
			if !now.Before(until) {
				delete(h.ports, port)
			}
		}
		if len(h.ports) == 0 && isFull(h.rate, now) {
			delete(r.hosts, of)
		}
	}
	for of, l := range r.networks {
		if isFull(l, now) {
			delete(r.networks, of)
		}
	}
	r.sweepAt = 2 * (len(r.hosts) + len(r.networks))
}

func isFull(l *rate.Limiter, now time.Time) bool {
	return l == nil || l.TokensAt(now) >= float64(l.Burst())
}
