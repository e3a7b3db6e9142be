package seed

import (
	"cmp"
	"slices"
	"time"
)

// Status is what GET /status of the admin port answers, as JSON. Programs of
// operators read it: fields may be added, but neither taken away nor changed.
type Status struct {
	// Network is the network ID, and Instance, Agent what the seed says of
	// itself in hello.
	Network  string `json:"network"`
	Instance string `json:"instance"`
	Agent    string `json:"agent"`
	// Version is the program's.
	Version string `json:"version"`
	// Started is when the seed was, in UTC.
	Started time.Time `json:"started"`
	// Draining tells that the seed is about to end: it takes no connections any
	// more, its peers go elsewhere, and it ends when they, the introductions in
	// progress and the TURN allocations have, or with Config.DrainTimeout.
	Draining bool `json:"draining"`
	// Peers is how many peers are connected and ready.
	Peers StatusPeers `json:"peers"`
	// Addresses are the ways to the seed, best first, as in [exchange.BootstrapSeed].
	Addresses []string `json:"addresses"`
	// Certificate is that of the port with TLS; nil if there is none.
	Certificate *StatusCertificate `json:"certificate,omitempty"`
	// Siblings are the other seeds that this one is linked with; nil if it is to have
	// none.
	Siblings []StatusSibling `json:"siblings,omitempty"`
	// TURN is the TURN server; nil if it is off.
	TURN *StatusTURN `json:"turn,omitempty"`
}

// StatusSibling is about another seed of the network.
type StatusSibling struct {
	Instance string `json:"instance"`
	// Name and Addresses are what it says: see Config.SeedName and Config.Advertise.
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	// RemoteAddress is the host that it is seen at, and Since when the link was made.
	RemoteAddress string    `json:"remoteAddress"`
	Since         time.Time `json:"since"`
	// Peers is how many peers it has, and Draining tells that it shuts down.
	Peers    int  `json:"peers"`
	Draining bool `json:"draining"`
}

// StatusTURN is about the TURN server.
type StatusTURN struct {
	// RelayIP is the address at which relayed addresses are.
	RelayIP string `json:"relayIP"`
	// Allocations is how many there are.
	Allocations int `json:"allocations"`
}

// StatusPeers counts peers.
type StatusPeers struct {
	Total int `json:"total"`
	// By is the same by transport and generation, sorted by these, without
	// those that there are none of.
	By []StatusPeerKind `json:"by"`
}

// StatusPeerKind counts the peers of one kind.
type StatusPeerKind struct {
	Transport string `json:"transport"` // "websocket", "tcp" or "webrtc"
	Protocol  string `json:"protocol"`  // "v0" or "v1"
	Count     int    `json:"count"`
}

// StatusCertificate is about a certificate.
type StatusCertificate struct {
	// NotAfter is when it expires, in UTC.
	NotAfter time.Time `json:"notAfter"`
}

// Status tells what the seed is and how it is.
func (s *Seed) Status() Status {
	status := Status{
		Network:   s.config.NetworkID,
		Instance:  s.exchange.Instance(),
		Agent:     s.agent(),
		Version:   s.config.Version,
		Started:   s.started.UTC().Truncate(time.Second),
		Draining:  s.draining(),
		Peers:     StatusPeers{By: []StatusPeerKind{}},
		Addresses: s.addresses(),
	}
	if s.certificate != nil {
		status.Certificate = &StatusCertificate{s.certificate.leaf().NotAfter.UTC()}
	}
	if s.turn != nil {
		status.TURN = &StatusTURN{s.turn.relay.Announce.String(), s.turn.allocations()}
	}
	for _, sibling := range s.exchange.Siblings() {
		status.Siblings = append(status.Siblings, StatusSibling{
			Instance: sibling.Instance, Name: sibling.Name, Addresses: append([]string{}, sibling.Addresses...),
			RemoteAddress: sibling.RemoteAddress, Since: sibling.Since.UTC(), Peers: sibling.Peers, Draining: sibling.Draining,
		})
	}
	for kind, n := range s.exchange.Stats().Peers {
		status.Peers.Total += n
		status.Peers.By = append(status.Peers.By, StatusPeerKind{kind.Transport, kind.Protocol.String(), n})
	}
	slices.SortFunc(status.Peers.By, func(a, b StatusPeerKind) int {
		return cmp.Or(cmp.Compare(a.Transport, b.Transport), cmp.Compare(a.Protocol, b.Protocol))
	})
	return status
}
