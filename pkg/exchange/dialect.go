package exchange

import (
	"context"
	"encoding/json"
)

// dialect is a generation of the protocol as spoken on one connection. Its
// methods are called by the read loop, but for announce, unannounce and newConn.
type dialect interface {
	// begin sends what a connection starts with.
	begin() error
	// line takes one control message.
	line(line []byte) error
	// announce and unannounce tell a ready peer what is accepted now.
	announce(transport string, opts json.RawMessage)
	unannounce(transport string)
	// newConn asks the peer for another one and connects to it, without a
	// handshake yet.
	newConn(ctx context.Context) (*connected, error)
}
