package seed

// Bootstrap is the document at /.well-known/peer-exchange: how to join the
// network. Fields may be added; readers ignore those they do not know.
type Bootstrap struct {
	// Network is the network ID.
	Network string `json:"network"`
	// Sequence grows with every change of the document, so that of two copies
	// the newer one can be told. A seed that knows of no other serves 0.
	Sequence uint64 `json:"sequence"`
	// Seeds are the network's seeds. A client tries them in random order.
	Seeds []BootstrapSeed `json:"seeds"`

	// Instance, Agent and Protocols are of the seed that was asked: what it says
	// of itself in hello, and the protocol generations that it speaks, such as
	// "v0" and "v1".
	Instance  string   `json:"instance"`
	Agent     string   `json:"agent"`
	Protocols []string `json:"protocols"`
}

// BootstrapSeed is one seed of a [Bootstrap].
type BootstrapSeed struct {
	// Name tells the seed apart from the others; see Config.SeedName. A seed that
	// knows of no other has none.
	Name string `json:"name,omitempty"`
	// Addresses are the ways to one seed, best first, as URLs that
	// exchange.ConnectURL takes: wss, tls, ws, tcp.
	Addresses []string `json:"addresses"`
}
