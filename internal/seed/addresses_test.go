package seed

import (
	"net"
	"net/netip"
	"slices"
	"testing"
)

func TestHostsOf(t *testing.T) {
	machine := []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}
	external := []netip.Addr{netip.MustParseAddr("203.0.113.1")}
	for _, c := range []struct {
		listen        string
		external      []netip.Addr
		local, public []string
	}{
		{"[::]:1", nil, []string{"localhost"}, []string{"192.0.2.7", "[2001:db8::7]"}},
		{"0.0.0.0:1", nil, []string{"localhost"}, []string{"192.0.2.7"}},
		{"[::]:1", external, []string{"localhost"}, []string{"203.0.113.1", "192.0.2.7", "[2001:db8::7]"}},
		{"127.0.0.1:1", external, []string{"127.0.0.1"}, nil},
		{"[::1]:1", nil, []string{"[::1]"}, nil},
		{"192.0.2.7:1", external, []string{"192.0.2.7"}, []string{"203.0.113.1", "192.0.2.7"}},
	} {
		ap := netip.MustParseAddrPort(c.listen)
		ip := net.IP(ap.Addr().AsSlice())
		got := hostsOf(&net.TCPAddr{IP: ip, Port: 1}, c.external, machine)
		if !slices.Equal(got.local, c.local) || !slices.Equal(got.public, c.public) {
			t.Errorf("%s: %+v, want %v and %v", c.listen, got, c.local, c.public)
		}
	}
}

func TestCertificateNames(t *testing.T) {
	machine := []netip.Addr{netip.MustParseAddr("192.0.2.7")}
	external := []netip.Addr{netip.MustParseAddr("203.0.113.1")}
	for listen, more := range map[string]string{":8443": "localhost", "seed.example:8443": "seed.example", "[2001:db8::9]:1": "2001:db8::9"} {
		names := certificateNames(listen, external, machine)
		for _, want := range []string{"localhost", "127.0.0.1", "::1", "192.0.2.7", "203.0.113.1", more} {
			if !slices.Contains(names, want) {
				t.Errorf("listening on %s, %s is missing in %v", listen, want, names)
			}
		}
	}
	for name, want := range map[string]bool{
		"a": true, "seed-1.example": true, "": false, "a..b": false, "-a": false, "under_score": false, "späti": false,
	} {
		if isHostName(name) != want {
			t.Errorf("isHostName(%q) is %v", name, !want)
		}
	}
}
