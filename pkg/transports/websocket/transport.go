package websocket

import (
	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// Transport dials and listens for websockets.
type Transport struct {
	// Static after construction.
	config Config
}

var (
	_ transport.Dialer   = (*Transport)(nil)
	_ transport.Listener = (*Transport)(nil)
)

// New makes the transport.
func New(config Config) *Transport { return &Transport{config: config.withDefaults()} }

// Name is "websocket".
func (t *Transport) Name() string { return transport.WebSocket }
