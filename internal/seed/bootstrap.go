package seed

import "github.com/peerexchange/peerexchange/pkg/exchange"

// Bootstrap is the document at /.well-known/peer-exchange: how to join the
// network, and what the seed that was asked is.
type Bootstrap struct {
	exchange.Bootstrap

	// Instance, Agent and Protocols are of the seed that was asked: what it says
	// of itself in hello, and the protocol generations that it speaks, such as
	// "v0" and "v1". They are not signed.
	Instance  string   `json:"instance"`
	Agent     string   `json:"agent"`
	Protocols []string `json:"protocols"`
}
