package transports

import (
	"crypto/tls"

	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/transport"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// Names of the transports that the published clients know.
const (
	WebSocket = transport.WebSocket
	TCP       = transport.TCP
	WebRTC    = transport.WebRTC
)

// MaxTokenBytes bounds Options.Token.
const MaxTokenBytes = transport.MaxTokenBytes

// ErrUnauthorized is described in package transport.
var ErrUnauthorized = transport.ErrUnauthorized

// Roles in a negotiation.
const (
	Initiator = transport.Initiator
	Responder = transport.Responder
)

// Transport and the types after it are those of package transport, where they are
// described; the transports below this package import them from there.
type (
	Transport  = transport.Transport
	Dialer     = transport.Dialer
	Listener   = transport.Listener
	Negotiator = transport.Negotiator
	Signaling  = transport.Signaling
	Browser    = transport.Browser
	Bearer     = transport.Bearer
	ICEServer  = transport.ICEServer
	ICEUser    = transport.ICEUser
	Relayer    = transport.Relayer
	Introduced = transport.Introduced
	Role       = transport.Role
	Options    = transport.Options
)

// Default returns what a node has that is not told otherwise: websocket, webrtc
// and tcp, in the order in which npm nodes announce them, configured with zeros.
func Default() []Transport { return Trusting(nil) }

// Trusting is Default with the configuration of connections to turns: servers; see
// webrtc.Config.TLS. Those of the other transports are told at each dial.
func Trusting(config *tls.Config) []Transport {
	return []Transport{
		websocket.New(websocket.Config{}),
		webrtc.New(webrtc.Config{TLS: config}),
		tcp.New(tcp.Config{}),
	}
}
