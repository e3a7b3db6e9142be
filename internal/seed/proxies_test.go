package seed

import (
	"net/netip"
	"strings"
	"testing"
)

func mustParseProxies(t testing.TB, texts ...string) proxies {
	t.Helper()
	p, err := parseProxies(texts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTrustedNetworks(t *testing.T) {
	p := mustParseProxies(t, "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1", "fe80::/10", "::ffff:198.51.100.1")
	for _, c := range []struct {
		addr string
		want bool
	}{
		{"10.0.0.0", true},
		{"10.255.255.255", true},
		{"::ffff:10.1.2.3", true}, // how a socket for both families has it
		{"11.0.0.0", false},
		{"192.0.2.7", true},
		{"192.0.2.8", false},
		{"198.51.100.1", true},
		{"2001:db8:ffff::1", true},
		{"2001:db9::1", false},
		{"::1", true},
		{"127.0.0.1", false},
		{"fe80::1%eth0", true},
	} {
		if got := p.trust(netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("trust(%s) = %v, want %v", c.addr, got, c.want)
		}
	}
	if p.trust(netip.Addr{}) {
		t.Error("no address at all is trusted")
	}
}

func TestNetworksThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "CIDR",
		"10.0.0.0/33":           "CIDR",
		"10.0.0.0/8/8":          "CIDR",
		"10.0.0/8":              "CIDR",
		"proxy.example":         "CIDR",
		"10.0.0.1:80":           "CIDR",
		"fe80::1%eth0":          "CIDR",
		"10.1.2.3/8":            "10.0.0.0/8",
		"2001:db8::1/32":        "2001:db8::/32",
		"::ffff:10.0.0.0/104":   "as IPv4",
		"0.0.0.0/0 10.0.0.0/8":  "CIDR",
		" 10.0.0.0/8":           "CIDR",
		"2001:db8::/129":        "CIDR",
		"10.0.0.0/255.0.0.0":    "CIDR",
		"10.0.0.0-10.0.0.255":   "CIDR",
		"10.0.0.0/08":           "CIDR",
		"1.2.3.4.5":             "CIDR",
		"300.0.0.0/8":           "CIDR",
		"::ffff:0:10.0.0.0/200": "CIDR",
	} {
		p, err := parseProxies([]string{"192.0.2.0/24", text})
		if err == nil {
			t.Errorf("%q is taken for %v", text, p)
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `"`+text+`"`) {
			t.Errorf("%q: error %q does not say that, and %q", text, err, want)
		}
	}
}

func TestEverybodyIsTrusted(t *testing.T) {
	for text, want := range map[string]bool{"0.0.0.0/0": true, "::/0": true, "0.0.0.0/1": false, "0.0.0.0": false} {
		if _, got := mustParseProxies(t, "192.0.2.0/24", text).everybody(); got != want {
			t.Errorf("everybody(%s) = %v, want %v", text, got, want)
		}
	}
}
