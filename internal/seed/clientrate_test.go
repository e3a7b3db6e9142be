package seed

import (
	"net/netip"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

func TestClientRate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := newClientRate(60, 10)
	client := netip.MustParseAddr("192.0.2.1")
	burst := func() (n int) {
		for r.allow(client, now) {
			n++
		}
		return n
	}
	if n := burst(); n != 15 {
		t.Errorf("%d at once, want a quarter of 60", n)
	}
	for range 3 {
		now = now.Add(time.Second)
		if n := burst(); n != 1 {
			t.Errorf("%d after a second, want 1", n)
		}
	}
	now = now.Add(time.Hour)
	if n := burst(); n != 15 {
		t.Errorf("%d after an hour, want 15 again", n)
	}
	if !r.allow(netip.MustParseAddr("192.0.2.2"), now) {
		t.Error("another client is limited with it")
	}
}

// TestClientRateIsBounded remembers so many clients, and those who keep asking
// are not forgotten with them.
func TestClientRateIsBounded(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const size = 100
	r := newClientRate(1, size)
	insistent := netip.MustParseAddr("192.0.2.1")
	if !r.allow(insistent, now) {
		t.Fatal("the first is refused")
	}
	other := netip.MustParseAddr("198.18.0.0")
	for range size - 1 {
		if other = other.Next(); !r.allow(other, now) {
			t.Fatalf("%v is refused", other)
		}
	}
	for range size / 2 {
		if other = other.Next(); !r.allow(other, now) {
			t.Fatalf("%v is refused", other)
		}
	}
	if r.allow(insistent, now) {
		t.Error("a client is forgotten that just asked")
	}
	for range 10 * size {
		other = other.Next()
		r.allow(other, now)
	}
	if n := len(r.young) + len(r.old); n > 2*size {
		t.Errorf("%d clients are remembered, want %d at most", n, 2*size)
	}
}

func TestClientRateWithoutLimit(t *testing.T) {
	r := newClientRate(exchange.Unlimited, 1)
	for range 1000 {
		if !r.allow(netip.Addr{}, time.Time{}) {
			t.Fatal("refused")
		}
	}
	if len(r.young) != 0 {
		t.Error("clients are remembered for nothing")
	}
}
