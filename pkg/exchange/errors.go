package exchange

import (
	"errors"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// What a caller can act on. Errors that the package returns wrap these, with
// the operation and the address or transport concerned: test with errors.Is.
var (
	// ErrClosed says that the exchange was closed.
	ErrClosed = errors.New("exchange is closed")
	// ErrNoPeers says that there is no connected peer to ask: connect to a seed first.
	ErrNoPeers = errors.New("not connected to any peer; connect to a seed first")
	// ErrNoCandidates says that the asked peer knows nobody else to connect to,
	// or only nodes that are connected already: ask again later.
	ErrNoCandidates = errors.New("peer has no new peer to offer")
	// ErrUnknownTransport says that no transport of that name is in Config.Transports,
	// or that it cannot do what was asked of it.
	ErrUnknownTransport = errors.New("unknown transport")
	// ErrAlreadyAccepting says that Accept was called for a transport before.
	ErrAlreadyAccepting = errors.New("already accepting")
	// ErrNotAccepting says that Unaccept was called for a transport that does not accept.
	ErrNotAccepting = errors.New("not accepting")
	// ErrNetworkMismatch says that the other node belongs to another network.
	ErrNetworkMismatch = errors.New("peer belongs to another network")
	// ErrVersionMismatch says that the other node speaks a protocol version that
	// was not asked for; see Config.Protocol.
	ErrVersionMismatch = errors.New("peer speaks another protocol version")
	// ErrUnauthorized says that the other node takes members only and was shown no
	// token that it takes for good (see transports.Options.Token), or that
	// Config.Admit of this node refused the other one.
	ErrUnauthorized = transports.ErrUnauthorized
	// ErrHandshakeTimeout says that a connection was not a ready peer within
	// Limits.HandshakeTime. It comes with ErrLimit as a peer's error.
	ErrHandshakeTimeout = errors.New("handshake timed out")
	// ErrProtocol says that the other node sent what no node may send.
	ErrProtocol = errors.New("protocol violation")
	// ErrSlowPeer says that the other node did not read what was sent to it. It comes
	// with ErrLimit as a peer's error.
	ErrSlowPeer = mux.ErrSlowPeer
	// ErrUnresponsive says that the other node answered no ping.
	ErrUnresponsive = errors.New("peer does not answer")
	// ErrIdle says that nothing was heard of the other node for Limits.IdleTime. It comes
	// with ErrLimit as a peer's error.
	ErrIdle = errors.New("peer was idle for too long")
	// ErrLimit says that a limit of this node was reached; see [Limits]. Peers that end
	// for one of the limits have this error, beside the one that tells more.
	ErrLimit = errors.New("limit reached")
	// ErrDuplicate says that the other node is connected already.
	ErrDuplicate = errors.New("already connected to this node")
	// ErrSelf says that the connection leads back to this node.
	ErrSelf = errors.New("connected to itself")
	// ErrMeshSecret says that the other seed does not know a secret of the mesh, or
	// that this one does not know one of its.
	ErrMeshSecret = errors.New("mesh secrets differ")
	errNoMesh     = errors.New("this node is in no mesh: Config.Mesh is nil")
)
