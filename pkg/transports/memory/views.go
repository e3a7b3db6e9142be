package memory

import (
	"context"
	"net"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// Direct is a transport that dials and listens but cannot negotiate, as tcp and
// websocket.
type Direct struct{ t *Transport }

// Negotiated is a transport that can only negotiate, as webrtc.
type Negotiated struct{ t *Transport }

var (
	_ transport.Dialer     = Direct{}
	_ transport.Listener   = Direct{}
	_ transport.Negotiator = Negotiated{}
)

// Direct is the transport without negotiation.
func (t *Transport) Direct() Direct { return Direct{t} }

// Negotiated is the transport without addresses.
func (t *Transport) Negotiated() Negotiated { return Negotiated{t} }

// Name is the name of the transport this is a part of.
func (d Direct) Name() string { return d.t.Name() }

// Dial is [Transport.Dial].
func (d Direct) Dial(ctx context.Context, host string, opts transport.Options) (net.Conn, error) {
	return d.t.Dial(ctx, host, opts)
}

// Listen is [Transport.Listen].
func (d Direct) Listen(ctx context.Context, opts transport.Options) (net.Listener, error) {
	return d.t.Listen(ctx, opts)
}

// Name is the name of the transport this is a part of.
func (n Negotiated) Name() string { return n.t.Name() }

// Negotiate is [Transport.Negotiate].
func (n Negotiated) Negotiate(ctx context.Context, role transport.Role, signals transport.Signaling) (net.Conn, error) {
	return n.t.Negotiate(ctx, role, signals)
}
