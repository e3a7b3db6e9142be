package turn

import (
	"encoding/binary"
	"net/netip"
)

// Message types as they are on the wire: method and class (RFC 8489 section 5).
const (
	bindingRequest          = 0x0001
	allocateRequest         = 0x0003
	refreshRequest          = 0x0004
	createPermissionRequest = 0x0008
	channelBindRequest      = 0x0009
	sendIndication          = 0x0016
	dataIndication          = 0x0017

	classMask    = 0x0110
	successClass = 0x0100
	errorClass   = 0x0110
)

// Attribute types (RFC 8489 section 18.3, RFC 8656 section 18).
const (
	attrUsername           = 0x0006
	attrMessageIntegrity   = 0x0008
	attrErrorCode          = 0x0009
	attrChannelNumber      = 0x000c
	attrXORPeerAddress     = 0x0012
	attrData               = 0x0013
	attrRealm              = 0x0014
	attrNonce              = 0x0015
	attrRequestedFamily    = 0x0017
	attrEvenPort           = 0x0018
	attrRequestedTransport = 0x0019
	attrIntegritySHA256    = 0x001c
	attrReservationToken   = 0x0022
	attrFingerprint        = 0x8028
)

const (
	magicCookie   = 0x2112a442
	headerBytes   = 20
	tlvBytes      = 4
	idBytes       = 12
	tokenBytes    = 8
	channelHeader = 4
	minChannel    = 0x4000
	maxChannel    = 0x7fff // RFC 5766; RFC 8656 stops at 0x4fff

	familyIPv4 = 0x01
	familyIPv6 = 0x02
	protoUDP   = 17

	// dataOverhead is what a Data indication adds in front of the data of an IPv4
	// peer: header, XOR-PEER-ADDRESS, and the head of DATA.
	dataOverhead = headerBytes + tlvBytes + 8 + tlvBytes
)

// request is what a gate wants to know of a STUN request. Its slices are parts of raw.
type request struct {
	raw      []byte
	from     netip.AddrPort
	kind     uint16
	id       [idBytes]byte
	signed   bool // has MESSAGE-INTEGRITY
	username []byte
	realm    []byte
	nonce    []byte

	transport byte // REQUESTED-TRANSPORT; zero if there is none
	family    byte // REQUESTED-ADDRESS-FAMILY; zero if there is none
	evenPort  bool
	nextPort  bool // EVEN-PORT asks to reserve the next higher port
	token     []byte

	channel uint16 // zero if there is none
	peers   []netip.AddrPort
}

// attributes calls f for each attribute of a message until it returns false. It is
// false if the message is not well formed: not all of b, or an attribute beyond its end.
func attributes(b []byte, f func(kind uint16, value []byte) bool) bool {
	if len(b) < headerBytes || binary.BigEndian.Uint32(b[4:]) != magicCookie || b[0]&0xc0 != 0 {
		return false
	}
	if int(binary.BigEndian.Uint16(b[2:])) != len(b)-headerBytes || len(b)%4 != 0 {
		return false
	}
	for rest := b[headerBytes:]; len(rest) > 0; {
		kind, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		rest = rest[tlvBytes:] // there are that many: lengths are multiples of four
		if padded(n) > len(rest) {
			return false
		}
		if !f(kind, rest[:n:n]) {
			return true
		}
		rest = rest[padded(n):]
	}
	return true
}

func padded(n int) int { return (n + 3) &^ 3 }

// parse reads a request. It is false for what is better not shown to pion at all:
// what is malformed, and what has an attribute after MESSAGE-INTEGRITY, which nobody
// vouches for and pion would believe. The request's peers are reused.
func (r *request) parse(b []byte) bool {
	*r = request{raw: b, peers: r.peers[:0]}
	if len(b) < headerBytes {
		return false
	}
	r.kind = binary.BigEndian.Uint16(b)
	copy(r.id[:], b[8:])
	sound := true
	whole := attributes(b, func(kind uint16, value []byte) bool {
		sound = r.attribute(kind, value)
		return sound
	})
	return whole && sound
}

func (r *request) attribute(kind uint16, value []byte) bool {
	if r.signed {
		return kind == attrFingerprint || kind == attrIntegritySHA256
	}
	want := -1
	switch kind {
	case attrMessageIntegrity:
		r.signed, want = true, 20
	case attrUsername:
		setOnce(&r.username, value)
	case attrRealm:
		setOnce(&r.realm, value)
	case attrNonce:
		setOnce(&r.nonce, value)
	case attrReservationToken:
		setOnce(&r.token, value)
		want = tokenBytes
	case attrRequestedTransport:
		if want = 4; len(value) == want && r.transport == 0 {
			r.transport = value[0]
		}
	case attrRequestedFamily:
		if want = 4; len(value) == want && r.family == 0 {
			r.family = value[0]
		}
	case attrEvenPort:
		if want = 1; len(value) == want {
			r.evenPort, r.nextPort = true, value[0]&0x80 != 0
		}
	case attrChannelNumber:
		if want = 4; len(value) == want && r.channel == 0 {
			r.channel = binary.BigEndian.Uint16(value)
		}
	case attrXORPeerAddress:
		peer, ok := xorAddress(value, r.id[:])
		r.peers = append(r.peers, peer)
		return ok
	}
	return want < 0 || want == len(value)
}

// setOnce keeps the first of several, as pion does.
func setOnce(field *[]byte, value []byte) {
	if *field == nil {
		*field = value
	}
}

// xorAddress reads the value of an XOR-…-ADDRESS attribute (RFC 8489 section 14.2).
// An IPv4-mapped IPv6 address stays one: it is up to the filter to see through it.
func xorAddress(value, id []byte) (netip.AddrPort, bool) {
	if len(value) < 4 || value[0] != 0 { // which pion insists on
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(value[2:]) ^ magicCookie>>16
	switch {
	case value[1] == familyIPv4 && len(value) == 8:
		var ip [4]byte
		binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(value[4:])^magicCookie)
		return netip.AddrPortFrom(netip.AddrFrom4(ip), port), true
	case value[1] == familyIPv6 && len(value) == 20:
		var ip [16]byte
		binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(value[4:])^magicCookie)
		for i := range idBytes {
			ip[4+i] = value[8+i] ^ id[i]
		}
		return netip.AddrPortFrom(netip.AddrFrom16(ip), port), true
	}
	return netip.AddrPort{}, false
}

// parseSend reads a Send indication, which carries no credentials.
func parseSend(b []byte) (peer netip.AddrPort, data []byte, ok bool) {
	if len(b) < headerBytes {
		return peer, nil, false
	}
	var hasPeer, hasData bool
	whole := attributes(b, func(kind uint16, value []byte) bool {
		switch {
		case kind == attrXORPeerAddress && !hasPeer:
			peer, hasPeer = xorAddress(value, b[8:headerBytes])
			return hasPeer
		case kind == attrData && !hasData:
			data, hasData = value, true
		}
		return true
	})
	return peer, data, whole && hasPeer && hasData
}

// parseChannelData returns the number and the data of a ChannelData message, behind
// which there may be padding (RFC 8656 section 12.5).
func parseChannelData(b []byte) (number uint16, data []byte, ok bool) {
	if len(b) < channelHeader {
		return 0, nil, false
	}
	number, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
	if number < minChannel || number > maxChannel || n > len(b)-channelHeader {
		return 0, nil, false
	}
	return number, b[channelHeader : channelHeader+n], true
}

// channelFrame writes a ChannelData message around the data, which is n bytes from
// headroom on in buf, where there is room for padding too.
func channelFrame(buf []byte, headroom, n int, number uint16, pad bool) []byte {
	start := headroom - channelHeader
	binary.BigEndian.PutUint16(buf[start:], number)
	binary.BigEndian.PutUint16(buf[start+2:], uint16(n))
	end := headroom + n
	if pad {
		end = padTo(buf, headroom, n)
	}
	return buf[start:end]
}

// dataFrame does the same with a Data indication. The peer is an IPv4 one, and lo
// and hi are random.
func dataFrame(buf []byte, headroom, n int, peer netip.AddrPort, lo uint64, hi uint32) []byte {
	start := headroom - dataOverhead
	end := padTo(buf, headroom, n)
	b := buf[start:end]
	binary.BigEndian.PutUint16(b, dataIndication)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-headerBytes))
	binary.BigEndian.PutUint32(b[4:], magicCookie)
	binary.BigEndian.PutUint64(b[8:], lo)
	binary.BigEndian.PutUint32(b[16:], hi)
	binary.BigEndian.PutUint16(b[20:], attrXORPeerAddress)
	binary.BigEndian.PutUint16(b[22:], 8)
	binary.BigEndian.PutUint16(b[24:], familyIPv4)
	binary.BigEndian.PutUint16(b[26:], peer.Port()^magicCookie>>16)
	ip := peer.Addr().As4()
	binary.BigEndian.PutUint32(b[28:], binary.BigEndian.Uint32(ip[:])^magicCookie)
	binary.BigEndian.PutUint16(b[32:], attrData)
	binary.BigEndian.PutUint16(b[34:], uint16(n))
	return b
}

func padTo(buf []byte, headroom, n int) (end int) {
	end = headroom + padded(n)
	clear(buf[headroom+n : end])
	return end
}
