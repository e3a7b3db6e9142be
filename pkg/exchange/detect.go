package exchange

import (
	"io"
	"net"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// magic is what a v1 stream starts with, in both directions (pxp, lib/peer.js).
const magic = wire.MagicV1

// detect tells by the first bytes of a connection what is spoken on it, and
// returns those that belong to the multiplexed stream. A v1 stream starts with
// the magic; a v0 stream with a multiplex frame that opens a channel, whose
// first byte is never '#' (type 3).
func detect(conn net.Conn) (Protocol, []byte, error) {
	first := make([]byte, 512)
	n := 0
	for n == 0 || first[0] == magic[0] && n < len(magic) {
		m, err := conn.Read(first[n:])
		n += m
		if err != nil && n == 0 {
			return 0, nil, err
		}
		if err != nil && first[0] == magic[0] && n < len(magic) {
			return 0, nil, io.ErrUnexpectedEOF
		}
	}
	if first[0] != magic[0] {
		return V0, first[:n], nil
	}
	if string(first[:len(magic)]) != magic {
		return 0, nil, ErrProtocol
	}
	return V1, first[len(magic):n], nil
}
