package seed

import (
	"net/netip"
	"testing"
)

func TestAllowCandidate(t *testing.T) {
	for _, test := range []struct {
		introducer string // empty if it is not known
		allowed    []string
		denied     []string
	}{
		{"8.8.8.8", []string{"1.1.1.1", "2606:4700::1"}, []string{
			"10.0.0.1", "172.17.0.1", "192.168.1.1", "127.0.0.1", "::1", "169.254.169.254", "168.63.129.16", "100.64.0.1",
			"0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1",
		}},
		{"", []string{"1.1.1.1"}, []string{"10.0.0.1", "127.0.0.1", "fe80::1"}},
		{"10.0.0.2", []string{"1.1.1.1", "10.0.0.1", "192.168.1.1", "fc00::1"}, []string{"127.0.0.1", "169.254.169.254", "100.64.0.1"}},
		{"::ffff:10.0.0.2", []string{"10.0.0.1"}, []string{"127.0.0.1"}},
		{"127.0.0.1", []string{"1.1.1.1", "127.0.0.1", "::1", "10.0.0.1", "172.17.0.1", "100.64.0.1"}, []string{"169.254.169.254", "224.0.0.1"}},
		{"100.64.0.2", []string{"100.64.0.1"}, []string{"10.0.0.1"}},
		{"fe80::2", []string{"fe80::1"}, []string{"10.0.0.1"}},
	} {
		introducer, _ := netip.ParseAddr(test.introducer)
		for want, addrs := range map[bool][]string{true: test.allowed, false: test.denied} {
			for _, addr := range addrs {
				if got := allowCandidate(netip.MustParseAddr(addr), introducer); got != want {
					t.Errorf("introduced from %q, %s: %t, want %t", test.introducer, addr, got, want)
				}
			}
		}
	}
}
