package turn

import (
	"encoding/binary"
	"errors"
)

var (
	errNotTURN  = errors.New("neither STUN nor ChannelData")
	errTooLong  = errors.New("message is too long")
	maxFramed   = dataOverhead + maxMessageBytes + tailroom
	readBytes   = 4 << 10  // of a connection's buffer at first
	maxReadSize = 32 << 10 // and when it is busy; more than the longest message
)

// frameLength returns how long the first message of a stream is, padding included
// (RFC 8656 section 12.5), or zero if more has to be read to know.
func frameLength(b []byte) (int, error) {
	if len(b) < 4 {
		return 0, nil
	}
	n := padded(int(binary.BigEndian.Uint16(b[2:])))
	switch b[0] >> 6 {
	case 0:
		n += headerBytes
	case 1:
		n += channelHeader
	default:
		return 0, errNotTURN
	}
	if n > maxFramed {
		return 0, errTooLong
	}
	return n, nil
}
