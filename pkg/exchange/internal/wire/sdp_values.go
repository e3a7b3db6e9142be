package wire

import (
	"bytes"
	"math"
)

func validOrigin(value []byte) bool {
	f := words{rest: value}
	user, id, version := f.next(), f.next(), f.next()
	return len(user) > 0 && isUint(id, math.MaxUint64) && isUint(version, math.MaxUint64) &&
		validAddress(f, isHost)
}

// validConnection wants an address: libwebrtc takes no name here.
func validConnection(value []byte) bool {
	return validAddress(words{rest: value}, func([]byte) bool { return false })
}

// validAddress checks nettype, addrtype and address at the end of a line. other
// says which addresses are allowed that are not of the type named.
func validAddress(f words, other func([]byte) bool) bool {
	nettype, addrtype, address := f.next(), f.next(), f.next()
	if string(nettype) != "IN" || !f.over {
		return false
	}
	switch string(addrtype) {
	case "IP4":
		return isIPv4(address) || other(address)
	case "IP6":
		return isIPv6(address) || other(address)
	}
	return false
}

func validBandwidth(value []byte) bool {
	modifier, bandwidth, _ := bytes.Cut(value, []byte{':'})
	switch string(modifier) {
	case "AS", "TIAS", "CT":
		return isUint(bandwidth, math.MaxInt32)
	}
	return false
}

func validSctpmap(value []byte) bool {
	f := words{rest: value}
	port, protocol, streams := f.next(), f.next(), f.next()
	return isUint(port, math.MaxUint16) && isToken(protocol) && (streams == nil || isUint(streams, math.MaxUint16)) && f.over
}

// validFingerprint wants a hash that DTLS stacks know, of its full length, in
// upper case as RFC 8122 section 5 has it.
func validFingerprint(value []byte) bool {
	algorithm, digest, _ := bytes.Cut(value, []byte{' '})
	var size int
	switch {
	case equalFold(algorithm, "sha-1"):
		size = 20
	case equalFold(algorithm, "sha-224"):
		size = 28
	case equalFold(algorithm, "sha-256"):
		size = 32
	case equalFold(algorithm, "sha-384"):
		size = 48
	case equalFold(algorithm, "sha-512"):
		size = 64
	default:
		return false
	}
	if len(digest) != 3*size-1 {
		return false
	}
	for i, c := range digest {
		if i%3 == 2 {
			if c != ':' {
				return false
			}
		} else if !isDigit(c) && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
