package exchange

import "github.com/peerexchange/peerexchange/pkg/transports"

// Path is the way that a connection takes.
type Path int

const (
	// PathDirect goes straight to the other node.
	PathDirect Path = iota
	// PathTURN goes through a TURN server, which sees what is encrypted between
	// the two nodes.
	PathTURN
	// PathRelay goes through the node that has introduced the two, which sees all;
	// see Config.AllowRelayedData.
	PathRelay
)

func (p Path) String() string { return [...]string{"direct", "turn", "relay"}[p] }

// Path is the way that the connection takes now: a negotiated one may find a
// better one while it stands.
func (p *Peer) Path() Path {
	if p.transport == Relay {
		return PathRelay
	}
	if r, ok := p.conn.(transports.Relayer); ok && r.Relayed() {
		return PathTURN
	}
	return PathDirect
}
