package turn

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// An address that the machine gets later is its own within a minute, and one that it
// loses is not any more. Permissions cost a look at the system no more often than that.
func TestOwnAddressesAreListedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var has []net.Addr
		var failure error
		listed := 0
		o := &ownAddresses{
			given:  []netip.Addr{netip.MustParseAddr("192.0.2.1")},
			logger: slog.New(slog.DiscardHandler),
			interfaces: func() ([]net.Addr, error) {
				listed++
				return has, failure
			},
		}
		f := &filter{own: o}
		denied := func(ip, want string) {
			t.Helper()
			for range 10 {
				if _, got := f.check(netip.MustParseAddr(ip)); got != want {
					t.Fatalf("%s: %q, want %q", ip, got, want)
				}
			}
		}
		denied("8.8.8.8", "")
		has = []net.Addr{&net.IPNet{IP: net.IPv4(8, 8, 8, 8), Mask: net.CIDRMask(24, 32)}}
		time.Sleep(ownInterval)
		denied("8.8.8.8", DeniedOwn)
		denied("::ffff:8.8.8.8", DeniedOwn)
		denied("192.0.2.1", DeniedOwn)
		if listed != 2 {
			t.Errorf("the addresses were listed %d times, want twice", listed)
		}
		failure = errors.New("no more descriptors")
		time.Sleep(ownInterval)
		denied("8.8.8.8", DeniedOwn)
		has, failure = nil, nil
		time.Sleep(ownInterval)
		denied("8.8.8.8", "")
		denied("192.0.2.1", DeniedOwn)
	})
}
