package seed

import (
	"context"
	"net/netip"
	"testing"
)

func TestRelayAddress(t *testing.T) {
	ips := func(texts ...string) (out []netip.Addr) {
		for _, text := range texts {
			out = append(out, netip.MustParseAddr(text))
		}
		return out
	}
	// The machine's own way to the world, which tests do not choose.
	own := outgoingAddress(context.Background(), ips("127.0.0.1"))
	for _, c := range []struct {
		chosen            string
		external, machine []netip.Addr
		announce          netip.Addr
		behind            bool // listens on the machine's own
	}{
		{"", nil, nil, own, false},
		{"", ips("203.0.113.7"), nil, ips("203.0.113.7")[0], true},
		{"", ips("2001:db8::1", "203.0.113.7"), nil, ips("203.0.113.7")[0], true},
		{"", ips("2001:db8::1"), nil, own, false},
		{"", ips("203.0.113.7"), ips("203.0.113.7"), ips("203.0.113.7")[0], false},
		{"203.0.113.8", ips("203.0.113.7"), nil, ips("203.0.113.8")[0], true},
		{"203.0.113.8", nil, ips("203.0.113.8"), ips("203.0.113.8")[0], false},
		{"::ffff:203.0.113.8", nil, ips("203.0.113.8"), ips("203.0.113.8")[0], false},
		{"127.0.0.1", nil, nil, ips("127.0.0.1")[0], false},
		{"127.0.0.5", nil, nil, ips("127.0.0.5")[0], false},
	} {
		got, err := relayAddress(t.Context(), c.chosen, c.external, c.machine)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if got.Announce != c.announce || got.Listen.IsValid() != c.behind || c.behind && got.Listen != own {
			t.Errorf("%+v: %+v, own %v", c, got, own)
		}
	}
}

func TestReach(t *testing.T) {
	for text, want := range map[string]reach{
		"127.0.0.1": reachMachine, "10.0.0.1": reachNetwork, "172.16.0.1": reachNetwork, "192.168.1.1": reachNetwork,
		"169.254.1.1": reachNetwork, "100.64.0.1": reachNetwork, "100.128.0.1": reachPublic, "8.8.8.8": reachPublic,
	} {
		if got := reachOf(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
