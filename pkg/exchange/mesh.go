package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// MeshConfig makes a node one of several seeds of a network that work as one:
// each pair holds a link, over which they ask each other for peers and pass on
// signaling. Who is connected to one of them finds the peers of all.
type MeshConfig struct {
	// Secrets returns the secrets that siblings know each other by, at least one:
	// two seeds link if one has a secret that the other has too. It is called when
	// a link begins and every few seconds, by several goroutines, and what it
	// returns must not change. A link ends when the secret that it began with is
	// taken out. Required.
	Secrets func() [][]byte
	// Expects tells whether a sibling is expected at an address. Connections from
	// there are taken beyond Limits.Peers and Limits.PeersPerIP, and have to link.
	// Nil expects none.
	Expects func(netip.Addr) bool
}

// SiblingInfo is what a seed tells its siblings of itself.
type SiblingInfo struct {
	// Name is for people, at most 128 bytes.
	Name string
	// Addresses are where clients reach the seed, as ConnectURL takes them, at most
	// 16. Siblings offer them to their clients.
	Addresses []string
	// Relays are where its TURN server has relayed addresses, as IP:MIN-MAX, at
	// most 16. The exchange passes them on and makes no sense of them.
	Relays []string
}

// Sibling is a seed that this one is linked with.
type Sibling struct {
	SiblingInfo
	Instance      string
	RemoteAddress string    // the host that it is seen at
	Outgoing      bool      // whether this node made the link
	Since         time.Time // the link
	Peers         int       // that are connected to it, siblings aside
	Draining      bool      // it is about to go: nobody is sent there any more
}

// Bounds of a SiblingInfo.
const (
	maxSiblingName     = 128
	maxSiblingURLs     = 16
	maxSiblingURLBytes = 300
)

// ConnectSibling links with another seed of the network, at an address of the
// form "tls://host:port" or "tcp://host:port". It returns once both have proved
// that they know a secret of the mesh. If there is a link with that seed already, it
// returns that one.
//
// The certificate of the other seed is not looked at, as it may well be
// self-signed: the proofs are bound to the TLS session, so nobody can be in the
// middle. Without TLS somebody who can change what is on the wire is not noticed.
//
// Errors: ErrMeshSecret, ErrSelf, and those of Connect.
func (ex *Exchange) ConnectSibling(ctx context.Context, address string) (*Peer, error) {
	p, err := ex.connectSibling(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("link with %s: %w", address, err)
	}
	return p, nil
}

func (ex *Exchange) connectSibling(ctx context.Context, address string) (*Peer, error) {
	a, err := parseURL(address)
	switch {
	case err != nil:
		return nil, err
	case a.transport != transports.TCP:
		return nil, errors.New("links are made over tls:// or tcp://")
	case ex.mesh == nil:
		return nil, errNoMesh
	}
	dialer, err := ex.dialer(a.transport)
	if err != nil {
		return nil, err
	}
	opts := transports.Options{Port: a.port, Secure: a.secure}
	if a.secure {
		opts.TLS = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}
	}
	c, err := ex.dial(ctx, dialer, a.host, opts)
	if err != nil {
		return nil, err
	}
	c.protocol, c.links = V0, true
	return ex.handshake(ctx, c)
}

// Siblings returns the seeds that this one is linked with, by instance.
func (ex *Exchange) Siblings() []Sibling {
	if ex.mesh == nil {
		return nil
	}
	return *ex.mesh.published.Load()
}

// TellSiblings has this node's siblings know something new of it, those that it
// has and those to come.
func (ex *Exchange) TellSiblings(info SiblingInfo) {
	if ex.mesh == nil {
		return
	}
	ex.mu.Lock()
	ex.mesh.info = info
	ex.mu.Unlock()
	ex.mesh.change()
}

// LeaveMesh tells the siblings that this node is about to go, so that they send
// nobody here any more. Links and introductions in progress go on.
func (ex *Exchange) LeaveMesh() {
	if ex.mesh == nil {
		return
	}
	ex.mu.Lock()
	ex.mesh.draining = true
	ex.mu.Unlock()
	ex.sendStates()
}

// readSiblingInfo takes from a state what is in its bounds.
func readSiblingInfo(s *wire.MeshState) SiblingInfo {
	info := SiblingInfo{Name: printable(s.Name[:min(len(s.Name), maxSiblingName)])}
	for _, list := range []struct {
		from []string
		to   *[]string
	}{{s.Addresses, &info.Addresses}, {s.Relays, &info.Relays}} {
		for _, text := range list.from {
			if len(*list.to) < maxSiblingURLs && len(text) <= maxSiblingURLBytes {
				*list.to = append(*list.to, text)
			}
		}
	}
	return info
}

// validate checks what New is given.
func (c *MeshConfig) validate() error {
	if c != nil && (c.Secrets == nil || len(c.Secrets()) == 0) {
		return errors.New("Config.Mesh has no secret")
	}
	return nil
}

// has tells whether a secret is one of the mesh still.
func (c *MeshConfig) has(secret []byte) bool {
	return slices.ContainsFunc(c.Secrets(), func(s []byte) bool { return string(s) == string(secret) })
}
