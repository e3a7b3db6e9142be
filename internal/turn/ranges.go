package turn

import "net/netip"

// Why a peer is denied: the classes of [Stats.PermissionsDenied].
const (
	DeniedLoopback      = "loopback"
	DeniedUnspecified   = "unspecified"
	DeniedPrivate       = "private"
	DeniedShared        = "shared" // 100.64.0.0/10, behind a carrier's NAT
	DeniedLinkLocal     = "link-local"
	DeniedMetadata      = "metadata" // of a cloud, at a public address
	DeniedMulticast     = "multicast"
	DeniedDocumentation = "documentation"
	DeniedReserved      = "reserved"
	DeniedTransition    = "transition" // IPv4 in IPv6
	DeniedOwn           = "own"
	DeniedConfigured    = "configured"
	DeniedFamily        = "family" // IPv6: relayed addresses are IPv4
	DeniedQuota         = "quota"
)

// DeniedClasses returns the classes in a fixed order.
func DeniedClasses() []string {
	return []string{
		DeniedLoopback, DeniedUnspecified, DeniedPrivate, DeniedShared, DeniedLinkLocal, DeniedMetadata, DeniedMulticast,
		DeniedDocumentation, DeniedReserved, DeniedTransition, DeniedOwn, DeniedConfigured, DeniedFamily, DeniedQuota,
	}
}

// special are the ranges in which no peer is, of which the first that holds an
// address says why. They are IANA's special-purpose address registries for IPv4 and
// IPv6 (RFC 6890; also what is called globally reachable there, since those are
// services of a network and not peers), multicast, and a few that are known for what
// attacks aim at.
var special = []struct {
	prefix netip.Prefix
	class  string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), DeniedUnspecified}, // CVE-2020-26262: 0.0.0.0 leads to the loopback interface
	{netip.MustParsePrefix("10.0.0.0/8"), DeniedPrivate},
	{netip.MustParsePrefix("100.64.0.0/10"), DeniedShared},
	{netip.MustParsePrefix("127.0.0.0/8"), DeniedLoopback},
	{netip.MustParsePrefix("168.63.129.16/32"), DeniedMetadata}, // Azure's, the only one outside of the registries
	{netip.MustParsePrefix("169.254.0.0/16"), DeniedLinkLocal},
	{netip.MustParsePrefix("172.16.0.0/12"), DeniedPrivate},
	{netip.MustParsePrefix("192.0.2.0/24"), DeniedDocumentation},
	{netip.MustParsePrefix("192.0.0.0/24"), DeniedReserved},
	{netip.MustParsePrefix("192.31.196.0/24"), DeniedReserved}, // AS112
	{netip.MustParsePrefix("192.52.193.0/24"), DeniedReserved}, // AMT
	{netip.MustParsePrefix("192.88.99.0/24"), DeniedTransition},
	{netip.MustParsePrefix("192.168.0.0/16"), DeniedPrivate},
	{netip.MustParsePrefix("192.175.48.0/24"), DeniedReserved}, // AS112
	{netip.MustParsePrefix("198.18.0.0/15"), DeniedReserved},   // benchmarks
	{netip.MustParsePrefix("198.51.100.0/24"), DeniedDocumentation},
	{netip.MustParsePrefix("203.0.113.0/24"), DeniedDocumentation},
	{netip.MustParsePrefix("224.0.0.0/4"), DeniedMulticast},
	{netip.MustParsePrefix("240.0.0.0/4"), DeniedReserved}, // and limited broadcast

	{netip.MustParsePrefix("::/128"), DeniedUnspecified},
	{netip.MustParsePrefix("::1/128"), DeniedLoopback},
	{netip.MustParsePrefix("::ffff:0:0/96"), DeniedTransition}, // mapped, CVE-2026-27624
	{compatible, DeniedTransition},
	{translated, DeniedTransition},
	{nat64, DeniedTransition},
	{nat64Local, DeniedTransition},
	{teredo, DeniedTransition},
	{sixToFour, DeniedTransition},
	{netip.MustParsePrefix("100::/64"), DeniedReserved}, // discard
	{netip.MustParsePrefix("100:0:0:1::/64"), DeniedReserved},
	{netip.MustParsePrefix("2001::/23"), DeniedReserved}, // protocol assignments, of many kinds
	{netip.MustParsePrefix("2001:db8::/32"), DeniedDocumentation},
	{netip.MustParsePrefix("2620:4f:8000::/48"), DeniedReserved}, // AS112
	{netip.MustParsePrefix("3fff::/20"), DeniedDocumentation},
	{netip.MustParsePrefix("5f00::/16"), DeniedReserved}, // SRv6
	{netip.MustParsePrefix("fc00::/7"), DeniedPrivate},
	{netip.MustParsePrefix("fe80::/10"), DeniedLinkLocal},
	{netip.MustParsePrefix("fec0::/10"), DeniedPrivate}, // site-local, RFC 3879
	{netip.MustParsePrefix("ff00::/8"), DeniedMulticast},
	// What is left is not global unicast (RFC 4291 section 2.4, as IANA assigns it).
	{netip.MustParsePrefix("::/3"), DeniedReserved},
	{netip.MustParsePrefix("4000::/2"), DeniedReserved},
	{netip.MustParsePrefix("8000::/1"), DeniedReserved},
}

// specialClass is why an address is denied without being asked for in a
// configuration; it is empty for a public one.
func specialClass(ip netip.Addr) string {
	for _, r := range special {
		if r.prefix.Contains(ip) {
			return r.class
		}
	}
	return ""
}

// SpecialClass is why nobody on the public Internet is at an address, one of
// [DeniedClasses], or empty if somebody may be. What the address leads to counts too,
// where it is a way to another one.
func SpecialClass(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	for _, form := range embedded(nil, ip) {
		if class := specialClass(form); class != "" {
			return class
		}
	}
	return specialClass(ip)
}
