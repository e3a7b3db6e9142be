package seed

import (
	"bytes"
	"strings"
)

// protocol is what a connection speaks.
type protocol int

const (
	undecided      protocol = iota // more bytes are needed to tell
	exchangeStream                 // either generation of the exchange's protocol
	httpRequest
	stunMessage // STUN, or TURN, which begins with it
	tlsRecord   // TLS where none is expected
	proxyHeader // what only trusted proxies may begin with, and they only once
)

// headBytes is how many of the first bytes detect looks at, at most. More is read
// at once, for whoever takes the connection: most requests fit readAhead whole.
const (
	headBytes = 8
	readAhead = 1 << 10
)

// proxyHeadBytes is how many of them tell a PROXY line.
const proxyHeadBytes = 4

// stunCookie is in every STUN message, behind its type and length (RFC 8489,
// section 5).
var stunCookie = []byte{0x21, 0x12, 0xa4, 0x42}

// tlsHandshake is the first byte of TLS (RFC 8446, section 5.1). In a multiplex
// stream it would end channel 2 before any was opened.
const tlsHandshake = 0x16

// detect tells by its first bytes, of which there is one at least, what a
// connection speaks.
//
// A request begins with its method, in capital letters. A multiplex stream may
// begin with a capital letter too ('H' opens channel 9), but the length of the
// channel's name follows, and no name of the protocol has 65 or more bytes.
// A PROXY header begins with its name, or with a line end, which in a multiplex
// stream would be a fault on a channel that is not there. A STUN request begins
// with a zero byte as most multiplex streams do; see detectZero. Whatever else it
// is, the exchange's protocol makes sense of it or refuses it.
func detect(head []byte) protocol {
	switch {
	case head[0] == tlsHandshake:
		return tlsRecord
	case head[0] == proxySignature[0]:
		return proxyHeader
	case head[0] == 0:
		return detectZero(head)
	case !isCapital(head[0]):
		return exchangeStream
	case len(head) < 2:
		return undecided
	case !isCapital(head[1]):
		return exchangeStream
	case strings.HasPrefix(string(head), proxyLine[:proxyHeadBytes]):
		return proxyHeader
	case strings.HasPrefix(proxyLine, string(head)):
		return undecided
	default:
		return httpRequest
	}
}

// detectZero tells a STUN request from the opening of channel 0, which is how
// clients of both generations begin, the newer ones behind their magic. Both are
// settled by what clients send before they wait for an answer.
//
// In a request the type comes first, of which the bits for indications and
// responses are clear, and then the length, of less than 2 KiB in all that clients
// ask for (pion, Chromium and coturn stay far below). In an opening there is the
// length of the channel's name, and then its first letter, which is no such number.
func detectZero(head []byte) protocol {
	const (
		classBits = 0x10
		maxHigh   = 2 << 10 >> 8
	)
	switch {
	case len(head) > 1 && (head[1] == 0 || head[1]&classBits != 0):
		return exchangeStream
	case len(head) > 2 && head[2] >= maxHigh:
		return exchangeStream
	}
	cookie := head[min(len(head), 4):]
	if n := min(len(cookie), len(stunCookie)); !bytes.Equal(cookie[:n], stunCookie[:n]) {
		return exchangeStream
	}
	if len(cookie) < len(stunCookie) {
		return undecided
	}
	return stunMessage
}

func isCapital(b byte) bool { return 'A' <= b && b <= 'Z' }
