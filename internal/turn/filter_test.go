package turn

import (
	"net/netip"
	"testing"
)

// denied is at least one address of every range in which there are no peers, in every
// encoding that there is for it.
var denied = []struct{ ip, class string }{
	// IANA IPv4 Special-Purpose Address Registry, first and last of each.
	{"0.0.0.0", DeniedUnspecified}, {"0.0.0.1", DeniedUnspecified}, {"0.255.255.255", DeniedUnspecified},
	{"10.0.0.0", DeniedPrivate}, {"10.255.255.255", DeniedPrivate},
	{"100.64.0.0", DeniedShared}, {"100.127.255.255", DeniedShared},
	{"127.0.0.0", DeniedLoopback}, {"127.0.0.1", DeniedLoopback}, {"127.255.255.255", DeniedLoopback},
	{"169.254.0.0", DeniedLinkLocal}, {"169.254.169.254", DeniedLinkLocal}, {"169.254.255.255", DeniedLinkLocal},
	{"172.16.0.0", DeniedPrivate}, {"172.31.255.255", DeniedPrivate},
	{"192.0.0.0", DeniedReserved}, {"192.0.0.8", DeniedReserved}, {"192.0.0.9", DeniedReserved},
	{"192.0.0.170", DeniedReserved}, {"192.0.0.255", DeniedReserved},
	{"192.0.2.0", DeniedDocumentation}, {"192.0.2.255", DeniedDocumentation},
	{"192.31.196.1", DeniedReserved}, {"192.52.193.1", DeniedReserved}, {"192.88.99.1", DeniedTransition}, {"192.88.99.2", DeniedTransition},
	{"192.168.0.0", DeniedPrivate}, {"192.168.255.255", DeniedPrivate},
	{"192.175.48.1", DeniedReserved},
	{"198.18.0.0", DeniedReserved}, {"198.19.255.255", DeniedReserved},
	{"198.51.100.0", DeniedDocumentation}, {"203.0.113.255", DeniedDocumentation},
	{"224.0.0.0", DeniedMulticast}, {"239.255.255.255", DeniedMulticast},
	{"240.0.0.0", DeniedReserved}, {"255.255.255.254", DeniedReserved}, {"255.255.255.255", DeniedReserved},
	// Not in the registry.
	{"168.63.129.16", DeniedMetadata}, {"100.100.100.200", DeniedShared},

	// IANA IPv6 Special-Purpose Address Registry.
	{"::", DeniedUnspecified}, {"::1", DeniedLoopback},
	{"64:ff9b:1::8.8.8.8", DeniedUnspecified}, {"64:ff9b:1:808:8:800::", DeniedUnspecified},
	{"100::1", DeniedReserved}, {"100:0:0:1::1", DeniedReserved},
	{"2001:1::1", DeniedReserved}, {"2001:1::2", DeniedReserved}, {"2001:1::3", DeniedReserved}, {"2001:2::1", DeniedReserved}, {"2001:3::1", DeniedReserved},
	{"2001:4:112::1", DeniedReserved}, {"2001:10::1", DeniedReserved}, {"2001:20::1", DeniedReserved}, {"2001:30::1", DeniedReserved},
	{"2001:1ff:ffff::1", DeniedReserved},
	{"2001:db8::1", DeniedDocumentation}, {"3fff::1", DeniedDocumentation}, {"3fff:fff::1", DeniedDocumentation},
	{"2620:4f:8000::1", DeniedReserved}, {"5f00::1", DeniedReserved},
	{"fc00::1", DeniedPrivate}, {"fd00:ec2::254", DeniedPrivate},
	{"fe80::1", DeniedLinkLocal}, {"febf::1", DeniedLinkLocal}, {"fec0::1", DeniedPrivate},
	{"ff02::1", DeniedMulticast},
	// Nobody's.
	{"1::1", DeniedReserved}, {"4000::1", DeniedReserved}, {"8000::1", DeniedReserved}, {"fe00::1", DeniedReserved},

	// An address that may not be, in what else leads to it.
	{"::ffff:0.0.0.0", DeniedUnspecified}, {"::ffff:127.0.0.1", DeniedLoopback}, {"::ffff:10.0.0.1", DeniedPrivate},
	{"::ffff:169.254.169.254", DeniedLinkLocal}, {"::ffff:100.64.0.1", DeniedShared}, {"::ffff:224.0.0.1", DeniedMulticast},
	{"::127.0.0.1", DeniedLoopback}, {"::10.0.0.1", DeniedPrivate},
	{"::ffff:0:127.0.0.1", DeniedLoopback}, {"::ffff:0:192.168.0.1", DeniedPrivate},
	{"64:ff9b::127.0.0.1", DeniedLoopback}, {"64:ff9b::10.0.0.1", DeniedPrivate}, {"64:ff9b::169.254.169.254", DeniedLinkLocal},
	{"64:ff9b:1::10.0.0.1", DeniedUnspecified},
	{"64:ff9b:1:a00:0:100::", DeniedPrivate}, // 10.0.0.1 in a /48
	{"2002:7f00:1::1", DeniedLoopback}, {"2002:a00:1::1", DeniedPrivate}, {"2002:c0a8:1::1", DeniedPrivate},
	{"2001:0:a00:1::f5ff:fffe", DeniedPrivate},      // Teredo: server 10.0.0.1
	{"2001:0:808:808::f5ff:fffe", DeniedPrivate},    // client 10.0.0.1
	{"2001:0:808:808::80ff:fffe", DeniedLoopback},   // client 127.0.0.1
	{"2a00::5efe:10.0.0.1", DeniedPrivate},          // ISATAP
	{"2a00::200:5efe:127.0.0.1", DeniedLoopback},    // ISATAP
	{"fe80::200:5efe:169.254.1.1", DeniedLinkLocal}, // ISATAP

	// A public one, by a way around.
	{"::8.8.8.8", DeniedTransition}, {"64:ff9b::8.8.8.8", DeniedTransition}, {"2002:808:808::1", DeniedTransition},
	{"2001:0:808:808::f7f7:f7f7", DeniedTransition}, {"::ffff:0:8.8.8.8", DeniedTransition},
	// The relayed addresses are IPv4.
	{"::ffff:8.8.8.8", DeniedFamily}, {"2a00:1450:4001:80e::200e", DeniedFamily},
}

func TestDeniedByDefault(t *testing.T) {
	f := &filter{own: own()}
	for _, d := range denied {
		if ports, class := f.check(netip.MustParseAddr(d.ip)); class != d.class || ports != nil {
			t.Errorf("%s: %q, want %q", d.ip, class, d.class)
		}
	}
	for _, ip := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "168.63.129.15",
	} {
		if ports, class := f.check(netip.MustParseAddr(ip)); class != "" || !ports.contains(1) || !ports.contains(65535) || ports.contains(0) {
			t.Errorf("%s: %q, %v", ip, class, ports)
		}
	}
}

func TestFilterConfiguration(t *testing.T) {
	mustParse := func(texts ...string) []netip.Prefix {
		prefixes, err := ParsePeers(texts)
		if err != nil {
			t.Fatal(err)
		}
		return prefixes
	}
	ip := netip.MustParseAddr
	f := &filter{
		allow:  mustParse("10.1.0.0/16", "127.0.0.0/8", "64:ff9b::/96", "::ffff:10.2.0.0/112", "2a00::/16"),
		deny:   mustParse("10.1.2.0/24", "8.8.8.8", "2a00:1::/32"),
		own:    own(ip("127.0.0.1"), ip("5.5.5.5"), ip("10.1.9.9"), ip("7.7.7.7")),
		relays: []netip.Addr{ip("5.5.5.5")}, ports: PortRange{1000, 2000},
		siblings: func() []Relay {
			return []Relay{
				{ip("10.3.0.1"), PortRange{3000, 4000}}, {ip("10.1.2.3"), PortRange{1, 65535}},
				{ip("5.5.5.5"), PortRange{5000, 6000}},
			}
		},
	}
	for _, test := range []struct {
		ip, class string
		inside    uint16 // a port that is allowed
		outside   uint16 // one that is not
	}{
		{"10.1.0.1", "", 1, 0},
		{"10.1.2.1", DeniedConfigured, 0, 0},
		{"10.2.0.1", "", 1, 0}, // by the mapped form of its prefix
		{"10.4.0.1", DeniedPrivate, 0, 0},
		{"8.8.8.8", DeniedConfigured, 0, 0},
		{"127.0.0.2", "", 1, 0},
		{"127.0.0.1", DeniedOwn, 0, 0}, // allowed as a range, denied as this machine
		{"10.1.9.9", DeniedOwn, 0, 0},
		{"7.7.7.7", DeniedOwn, 0, 0},
		{"5.5.5.5", "", 1500, 999},
		{"5.5.5.5", "", 5500, 2001}, // a sibling at the same address
		{"10.3.0.1", "", 3000, 4001},
		{"10.1.2.3", DeniedConfigured, 0, 0}, // a sibling: deny wins
		// Other forms of the same.
		{"::ffff:8.8.8.8", DeniedConfigured, 0, 0},
		{"64:ff9b::8.8.8.8", DeniedConfigured, 0, 0},
		{"64:ff9b::7.7.7.7", DeniedOwn, 0, 0},
		{"64:ff9b::10.4.0.1", DeniedPrivate, 0, 0}, // the prefix is allowed, what it leads to is not
		{"64:ff9b::9.9.9.9", DeniedFamily, 0, 0},
		{"::ffff:5.5.5.5", DeniedOwn, 0, 0},
		{"::ffff:10.1.0.1", DeniedFamily, 0, 0},
		{"2002:707:707::1", DeniedOwn, 0, 0},
		{"2a00:1::1", DeniedConfigured, 0, 0},
		{"2a00:2::1", DeniedFamily, 0, 0},
	} {
		ports, class := f.check(ip(test.ip))
		if class != test.class || test.inside != 0 && !ports.contains(test.inside) || ports.contains(test.outside) {
			t.Errorf("%s: %q, %v", test.ip, class, ports)
		}
	}
}

func TestParsePeers(t *testing.T) {
	for _, text := range []string{
		"", "x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "10.0.0.1/8", "010.0.0.0/8", "10.0.0.0/08", "10.0.0.0-10.0.0.9",
		"fe80::1%eth0", "fe80::%eth0/64", "::ffff:0.0.0.0/95", " 10.0.0.0/8", "10.0.0.0/8 ", "10.0.0.0/8,11.0.0.0/8", "/8", "::/129",
	} {
		if prefixes, err := ParsePeers([]string{"1.2.3.4", text}); err == nil {
			t.Errorf("%q is %v", text, prefixes[1])
		}
	}
	got, err := ParsePeers([]string{"10.0.0.0/8", "1.2.3.4", "::1", "::ffff:1.2.3.4", "::ffff:10.0.0.0/104", "0.0.0.0/0", "::/0"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"10.0.0.0/8", "1.2.3.4/32", "::1/128", "1.2.3.4/32", "10.0.0.0/8", "0.0.0.0/0", "::/0"} {
		if got[i].String() != want {
			t.Errorf("prefix %d is %v, want %s", i, got[i], want)
		}
	}
}

func own(given ...netip.Addr) *ownAddresses { return &ownAddresses{given: given} }

// FuzzFilter looks for a way around: whatever is denied stays so in each form that leads to it.
func FuzzFilter(f *testing.F) {
	for _, d := range denied {
		f.Add(netip.MustParseAddr(d.ip).AsSlice())
	}
	filter := &filter{own: own(serverIP)}
	f.Fuzz(func(t *testing.T, b []byte) {
		ip, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		ports, class := filter.check(ip)
		if (class == "") != (ports != nil) {
			t.Errorf("%v: %v, %q", ip, ports, class)
		}
		if class == "" && (!ip.Is4() || ip.IsPrivate() || ip.IsLoopback() || !ip.IsGlobalUnicast()) {
			t.Errorf("%v is allowed", ip)
		}
		for _, form := range embedded(nil, ip) {
			if specialClass(form) != "" && class == "" {
				t.Errorf("%v leads to %v and is allowed", ip, form)
			}
		}
	})
}

func FuzzParsePeers(f *testing.F) {
	for _, text := range []string{"10.0.0.0/8", "::ffff:10.0.0.0/104", "1.2.3.4", "::/0", "fe80::%1/64"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefixes, err := ParsePeers([]string{text})
		if err != nil {
			return
		}
		again, err := ParsePeers([]string{prefixes[0].String()})
		if err != nil || again[0] != prefixes[0] {
			t.Errorf("%q is %v, which is %v, %v", text, prefixes, again, err)
		}
	})
}
