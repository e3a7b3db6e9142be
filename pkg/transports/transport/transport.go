package transport

import (
	"context"
	"encoding/json"
	"net"
)

// Names of the transports that the published clients know (src/transports.js
// of npm peer-exchange 0.4.1). A node drops what is offered to it under a name
// it does not know.
const (
	WebSocket = "websocket"
	TCP       = "tcp"
	WebRTC    = "webrtc"
)

// Transport makes connections. Every implementation is also at least one of
// [Dialer], [Listener] and [Negotiator], and is safe for concurrent use.
//
// A connection is a net.Conn that carries an ordered, reliable byte stream;
// where its writes begin and end means nothing. Read gives io.EOF once the other
// side has closed and all that it wrote was read. Close is idempotent and
// unblocks a Read or Write in progress. RemoteAddr().String() is the host, or
// host and port, that the other node was seen at. A deadline that passes
// unblocks Read and Write with os.ErrDeadlineExceeded; the connection need not
// be of use after that (TLS and websockets are not, after a Write).
//
// A connection may have a method CloseWrite() error, as *net.TCPConn does, that
// tells the other side that nothing more comes and leaves the other direction
// open until the other side has closed too. What was written last arrives for
// sure only with it.
type Transport interface {
	// Name is what nodes call the transport in hello, accept and getPeer. It is
	// lower case and never changes.
	Name() string
}

// Dialer is a transport that connects to an address.
type Dialer interface {
	Transport

	// Dial connects to host, a host name or an IP address without brackets or
	// port. ctx bounds the call only: cancelling it after Dial returned changes
	// nothing. The caller closes the connection.
	Dial(ctx context.Context, host string, opts Options) (net.Conn, error)
}

// Listener is a transport that accepts connections on an address of its own.
type Listener interface {
	Transport

	// Listen returns once connections can arrive. ctx bounds the call only. The
	// Addr of the listener is a *net.TCPAddr where a port exists, and that port
	// is what other nodes are told, so a zero opts.Port picks a free one. Accept
	// does not wait for what a connection has to say first, such as a TLS
	// handshake, and gives net.ErrClosed after Close. The caller closes the
	// listener; accepted connections outlive it.
	Listen(ctx context.Context, opts Options) (net.Listener, error)
}

// Negotiator is a transport whose connections come out of signals that the two
// nodes exchange through a node both are connected to.
type Negotiator interface {
	Transport

	// Negotiate runs one side of a negotiation until there is a connection or an
	// error. It reads and writes signals only before it returns: a signal sent
	// after the connection stands would crash a JavaScript node. ctx bounds the
	// call only. The caller closes the connection, and ends the Signaling.
	Negotiate(ctx context.Context, role Role, signals Signaling) (net.Conn, error)
}

// Role is the side that a node takes in a negotiation.
type Role int

const (
	// Initiator asked for a peer and makes the offer.
	Initiator Role = iota
	// Responder was offered as a candidate and answers.
	Responder
)

func (r Role) String() string {
	if r == Initiator {
		return "initiator"
	}
	return "responder"
}

// Signaling carries one negotiation's messages to the other node and back. The
// methods may be called from different goroutines.
type Signaling interface {
	// Send passes one signal, a JSON object, to the other node. It fails once
	// the relay has ended.
	Send(ctx context.Context, signal json.RawMessage) error

	// Receive waits for the next signal of the other node. io.EOF says that no
	// more will come.
	Receive(ctx context.Context) (json.RawMessage, error)
}

// Browser is implemented by a connection that may know its other end to be a
// web page.
type Browser interface {
	// Origin is the web page's origin, such as "https://example.com", or empty
	// if the other end is not a page.
	Origin() string
}
