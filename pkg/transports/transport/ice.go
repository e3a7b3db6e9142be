package transport

import "time"

// ICEServer is a STUN or TURN server.
type ICEServer struct {
	// URLs name the server: stun:, stuns:, turn: and turns: (RFC 7064, RFC 7065).
	URLs []string
	// Username and Credential are the long-term credentials of a TURN server.
	Username   string
	Credential string
}

// ICEUser is a transport that finds paths with the help of STUN and TURN
// servers, and can be told of some while it runs: by nodes that hand them out.
type ICEUser interface {
	Transport

	// UseICEServers has negotiations that begin from now on use servers until a
	// time, beside those that the transport is configured with. They take the
	// place of what the same source gave before; none at all forget the source. A
	// source is whatever string tells one from the others. What is no use, such as
	// a URL that makes no sense, is left out.
	UseICEServers(source string, servers []ICEServer, until time.Time)
}

// Relayer is implemented by a connection whose path may go through a relay, such
// as a TURN server, instead of directly to the other node.
type Relayer interface {
	// Relayed tells whether the path in use now does.
	Relayed() bool
}
