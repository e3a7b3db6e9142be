package wire

import "bytes"

// The small rules that SDP and ICE candidates are made of. They look at bytes,
// not strings, so that checking a signal costs no memory.

func all(b []byte, ok func(byte) bool) bool {
	for _, c := range b {
		if !ok(c) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlphanumeric(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isPrintable(c byte) bool { return ' ' <= c && c <= '~' }

// isICEChar has the characters of RFC 8839 and the four more that libwebrtc
// tolerates for old implementations.
func isICEChar(c byte) bool {
	switch c {
	case '+', '/', '-', '_', '#', '=':
		return true
	}
	return isAlphanumeric(c)
}

// isTokenChar has the characters of a token in RFC 8866 section 9.
func isTokenChar(c byte) bool {
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '{', '|', '}', '~':
		return true
	}
	return isAlphanumeric(c)
}

func isToken(b []byte) bool { return len(b) > 0 && all(b, isTokenChar) }

// isICECredential reports whether b can be an ice-ufrag (at least 4 characters)
// or ice-pwd (at least 22).
func isICECredential(b []byte, atLeast int) bool {
	return len(b) >= atLeast && len(b) <= 256 && all(b, isICEChar)
}

// isUint reports whether b is a decimal number up to limit.
func isUint(b []byte, limit uint64) bool {
	if len(b) == 0 || len(b) > 20 {
		return false
	}
	var n uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (limit-d)/10 {
			return false
		}
		n = n*10 + d
	}
	return true
}

// equalFold reports whether b is s, a lower-case word, in any case.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// isHost reports whether b is an IP address without a zone, or a host name such
// as the .local names by which browsers hide an address.
func isHost(b []byte) bool { return isIPv4(b) || isIPv6(b) || isHostname(b) }

func isIPv4(b []byte) bool {
	for i := range 4 {
		part := b
		if i < 3 {
			dot := bytes.IndexByte(b, '.')
			if dot < 0 {
				return false
			}
			part, b = b[:dot], b[dot+1:]
		}
		if !isUint(part, 255) || len(part) > 1 && part[0] == '0' {
			return false
		}
	}
	return true
}

func isIPv6(b []byte) bool {
	groups, gap := 0, false
	if bytes.HasPrefix(b, []byte("::")) {
		gap = true
		if b = b[2:]; len(b) == 0 {
			return true
		}
	}
	for {
		n := 0
		for n < len(b) && n < 5 && hexValue(b[n]) {
			n++
		}
		if n < len(b) && b[n] == '.' {
			groups += 2
			return isIPv4(b) && (groups == 8 && !gap || groups < 8 && gap)
		}
		if n == 0 || n > 4 {
			return false
		}
		groups++
		if b = b[n:]; len(b) == 0 {
			return groups == 8 && !gap || groups < 8 && gap
		}
		if b[0] != ':' || groups > 7 {
			return false
		}
		b = b[1:]
		if len(b) > 0 && b[0] == ':' {
			if gap {
				return false
			}
			gap = true
			if b = b[1:]; len(b) == 0 {
				return groups < 8
			}
		}
	}
}

func hexValue(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// isHostname wants a letter in the last label, so that what looks like an
// address but is none is no name either.
func isHostname(b []byte) bool {
	if len(b) == 0 || len(b) > 253 {
		return false
	}
	for {
		label, rest, more := bytes.Cut(b, []byte{'.'})
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			!all(label, func(c byte) bool { return isAlphanumeric(c) || c == '-' }) {
			return false
		}
		if !more {
			return !all(label, isDigit)
		}
		b = rest
	}
}
