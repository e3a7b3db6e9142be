package transport

import "net/netip"

// Introduced is implemented by a [Signaling] that knows something of where the other
// node may be.
type Introduced interface {
	// Introducer is the address at which the node is seen that passes the signals on. It
	// is not valid if that has none, or if it says nothing of what the other node reaches.
	Introducer() netip.Addr
}
