package turn

import "net/netip"

// embedded appends to dst every IPv4 address that an IPv6 address carries or that a
// translator on the way could find in it. A packet to the IPv6 address may end at any
// of them.
func embedded(dst []netip.Addr, ip netip.Addr) []netip.Addr {
	if ip.Is4() {
		return dst
	}
	b := ip.As16()
	v4 := func(i0, i1, i2, i3 int) {
		dst = append(dst, netip.AddrFrom4([4]byte{b[i0], b[i1], b[i2], b[i3]}))
	}
	last := func() { v4(12, 13, 14, 15) }
	switch {
	case ip == netip.IPv6Unspecified(), ip == netip.IPv6Loopback():
		// These two are no IPv4-compatible addresses, although they look it.
	case ip.Is4In6(), compatible.Contains(ip), translated.Contains(ip), nat64.Contains(ip):
		last()
	case nat64Local.Contains(ip):
		// A network carves prefixes of several lengths from it (RFC 8215), and where
		// the address stands depends on the length (RFC 6052 section 2.2).
		v4(6, 7, 9, 10)
		v4(7, 9, 10, 11)
		v4(9, 10, 11, 12)
		last()
	case sixToFour.Contains(ip):
		v4(2, 3, 4, 5)
	case teredo.Contains(ip):
		v4(4, 5, 6, 7) // the server
		dst = append(dst, netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}))
	}
	// ISATAP (RFC 5214 section 6.1) can follow any prefix.
	if b[8]&^0x03 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe {
		last()
	}
	return dst
}

var (
	compatible = netip.MustParsePrefix("::/96")           // IPv4-compatible, RFC 4291 section 2.5.5.1
	translated = netip.MustParsePrefix("::ffff:0:0:0/96") // IPv4-translated, RFC 2765
	nat64      = netip.MustParsePrefix("64:ff9b::/96")    // RFC 6052
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48")  // RFC 8215
	sixToFour  = netip.MustParsePrefix("2002::/16")       // RFC 3056
	teredo     = netip.MustParsePrefix("2001::/32")       // RFC 4380
)
