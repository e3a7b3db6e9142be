package seed

import (
	"net/netip"
	"sync"
	"time"
)

// rateClients bounds the memory of a clientRate to about a megabyte.
const rateClients = 8192

// clientRate limits how often each client may do something.
//
// It remembers at most twice as many clients as its size, in two generations: once
// the younger one is full the older one is forgotten. A flood from many addresses
// makes it lenient and not large.
type clientRate struct {
	// Static after construction.
	interval time.Duration // between two; zero is no limit
	burst    time.Duration // what a client that comes after a while has saved up
	size     int

	mu sync.Mutex
	// Guarded by mu. A value is when a client will have saved up all again.
	young, old map[netip.Prefix]time.Time
}

// newClientRate allows so many a minute, a quarter of them at once. A negative
// number is no limit.
func newClientRate(perMinute, size int) *clientRate {
	r := &clientRate{size: size, young: make(map[netip.Prefix]time.Time)}
	if perMinute > 0 {
		r.interval = time.Minute / time.Duration(perMinute)
		r.burst = max(time.Minute/4, r.interval)
	}
	return r
}

// allow tells whether a client may do it now, and counts that.
func (r *clientRate) allow(client netip.Addr, now time.Time) bool {
	if r.interval == 0 {
		return true
	}
	key := clientKey(client)
	r.mu.Lock()
	defer r.mu.Unlock()
	full, known := r.young[key]
	if !known {
		full = r.old[key]
	}
	if full.Before(now) {
		full = now
	}
	next := full.Add(r.interval)
	if next.Sub(now) > r.burst {
		return false
	}
	if !known && len(r.young) >= r.size {
		r.old, r.young = r.young, make(map[netip.Prefix]time.Time)
	}
	r.young[key] = next
	return true
}

// clientKey is what a client is counted by: its address, or the /64 of an IPv6
// one, of which every host has all.
func clientKey(client netip.Addr) netip.Prefix {
	client = client.Unmap().WithZone("")
	bits := client.BitLen()
	if client.Is6() {
		bits = 64
	}
	key, _ := client.Prefix(bits) // fails for no address at all, of which there is one
	return key
}
