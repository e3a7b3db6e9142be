package clients

import "context"

// Node is a node of one test, whatever it is made of.
type Node interface {
	// Accept starts accepting. For websocket and tcp the endpoint says where.
	Accept(ctx context.Context, transport string, secure bool) (Endpoint, error)
	// Unaccept stops accepting.
	Unaccept(ctx context.Context, transport string) error
	// Connect returns the id of the new peer.
	Connect(ctx context.Context, to Endpoint) (int, error)
	// GetNewPeer asks the peer via, or one of the node's choice when via is 0, and
	// returns the id of the new peer.
	GetNewPeer(ctx context.Context, via int) (int, error)
	// Request sends bytes to a peer and returns its name once all came back unchanged.
	Request(ctx context.Context, peer, bytes int) (string, error)
	// Disconnect ends the connection to a peer.
	Disconnect(ctx context.Context, peer int) error
	// Peers returns the connections that the node has and had.
	Peers() []PeerInfo
	// Await waits until the node's peers are as cond wants them.
	Await(ctx context.Context, what string, cond func(peers []PeerInfo) bool) error
	// Troubles are the errors of connections that an npm client told its
	// application of, besides those that calls returned, and those that the WebRTC of
	// Node is to blame for, see [Draw].
	Troubles() []string
	// IsGo tells whether this module is under test here.
	IsGo() bool
	// InNode tells whether the WebRTC of @roamhq/wrtc is at work here.
	InNode() bool
}

// Generation is one of the two published clients.
type Generation string

// The published clients.
const (
	V0 Generation = "v0" // npm peer-exchange 0.4.1
	V1 Generation = "v1" // npm peer-exchange 2.2.0
)

// Generations are all of them.
var Generations = []Generation{V0, V1}
