package exchange

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// Protocol is a generation of the wire protocol.
type Protocol int

const (
	// V0 is spoken by npm peer-exchange 0.4.x and natively by this module.
	V0 Protocol = iota
	// V1 is PXP 1, spoken by npm peer-exchange 2.x.
	V1
)

func (p Protocol) String() string { return [...]string{"v0", "v1"}[p] }

// Config configures a node. The zero value is a good node.
type Config struct {
	// Transports are the ways to connect and accept, each name once. Nil means
	// transports.Default(): websocket, webrtc and tcp, which end with the node. Others
	// stay the caller's: Close leaves them open, and what was written last over WebRTC
	// arrives for sure only once webrtc.Transport.Close has returned.
	Transports []transports.Transport

	// TLS configures the TLS connections that this node makes, where the call names
	// no configuration of its own: the roots to trust, if the seeds' certificates are
	// of a private authority. It goes for the default transports' turns: servers
	// and, in a Maintainer, for the bootstrap document too; a webrtc.Transport in
	// Transports has its own. Nil trusts the system's roots.
	TLS *tls.Config

	// Protocol is what Connect speaks. An accepted connection speaks what the
	// other node starts with, and a connection made by GetNewPeer what the asked
	// peer speaks.
	Protocol Protocol

	// Limits bound what others can make this node spend.
	Limits Limits

	// OnPeer is called with every peer that became ready, whoever connected.
	// OnPeer and OnError are called in order and never two at a time, so a slow
	// one holds up the next; the exchange goes on meanwhile, until 1,024 calls wait.
	OnPeer func(*Peer)
	// OnError is called with errors that no call returns: a listener that died,
	// an incoming connection that was no peer, a negotiation that came to nothing.
	OnError func(error)

	// Admit decides whether a node that came to this one, or was introduced to it,
	// may be a peer: an error refuses it with ErrUnauthorized before anything else
	// becomes of it, and is in the log, so it must not have the token in it. valid
	// is what Peer.Authorized asks later on; nil is always. Admit is called in the
	// middle of a connection's handshake, for several at a time. Nodes that this
	// one dials are not asked. Nil admits everybody.
	Admit func(Credentials) (valid func() bool, err error)

	// DiscardData reads and drops the application data that peers send. For
	// nodes without an application, such as seeds.
	DiscardData bool

	// VerifyCandidates has a peer that accepts tcp or websocket connections dialed
	// back before it is offered to others: at the address that it was seen at and
	// the port that it announces, until the same node answers there, or for npm
	// nodes one of the network. Checks are bounded by the limits whose names begin
	// with "check". It is for nodes that many depend on, such as seeds. An ordinary
	// node does without: behind a firewall of its own, what it cannot reach itself
	// says little, and if every node of a network dialed every one of its peers
	// that would cost more than a wrong offer does, after which the asker tries the
	// next one.
	VerifyCandidates bool

	// Addresses are URLs, as ConnectURL takes them, at which this node is publicly
	// reached, at most 8 of at most 256 bytes: "wss://node1.example.org:443". Peers
	// of this module are told, and those that verify candidates offer them to
	// others: web pages that came over https can connect only to such a node. A host
	// name needs TLS and a certificate for it, and has to lead to the address that
	// this node is seen at. What listens there is the application's to arrange, with
	// Accept or with Serve.
	Addresses []string

	// AllowRelayedData lets a connection to a peer go through the node that has
	// introduced it, if that allows it too and WebRTC finds no way, neither directly
	// nor by TURN. It is slow and bounded by that node's limits (Limits.RelayData...),
	// and unlike with WebRTC the node in between can read and change what is said:
	// applications that mind encrypt it themselves, or leave this off. A node that
	// allows it also passes on connections of peers that it has introduced.
	AllowRelayedData bool

	// ICEServers tells which ICE servers to hand to a peer that became ready and
	// can use some, and for how long they are good; less than a minute counts as
	// one. It is asked again at half of that time, but not for a peer that got
	// none for no time at all, or that is not [Peer.Authorized] any more. It must not block. A node
	// that hands some out uses nobody else's. Nil hands out none.
	ICEServers func(*Peer) (servers []transports.ICEServer, ttl time.Duration)

	// Mesh makes the node one of several seeds that work as one. Nil is for every
	// other node.
	Mesh *MeshConfig

	// PingInterval is how often a silent peer that knows the ping extension is
	// asked for a sign of life; after two intervals without one it is
	// disconnected with ErrUnresponsive. Default 30 s.
	PingInterval time.Duration

	// RequestTimeout is how long a getPeer request and the connection that
	// follows may take, if the context of the call does not end sooner: npm nodes
	// wait for ever. Default 30 s.
	RequestTimeout time.Duration

	// Agent names the program to other nodes, such as "chat/1.2", in at most 64
	// printable characters. Default "peerexchange-go" and the module's version.
	Agent string

	// Logger gets one record per connection made and lost, at debug level, and
	// per kind of refusal at most one each second, at info level. Nil discards.
	Logger *slog.Logger
}

const maxNetworkIDBytes = 128

func (c Config) withDefaults() Config {
	c.Limits = c.Limits.withDefaults()
	if c.PingInterval == 0 {
		c.PingInterval = 30 * time.Second
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = 30 * time.Second
	}
	if c.Agent == "" {
		c.Agent = defaultAgent()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate(networkID string) error {
	switch {
	case networkID == "":
		return errors.New("network ID is empty; pick a string that is unique to your network")
	case len(networkID) > maxNetworkIDBytes:
		return fmt.Errorf("network ID has %d bytes; at most %d are allowed", len(networkID), maxNetworkIDBytes)
	case !utf8.ValidString(networkID):
		return errors.New("network ID is not valid UTF-8")
	case len(c.Transports) == 0:
		return errors.New("Config.Transports is empty; nil means websocket, webrtc and tcp")
	case c.PingInterval < 0 || c.RequestTimeout < 0:
		return errors.New("Config.PingInterval and Config.RequestTimeout must not be negative")
	case c.Protocol != V0 && c.Protocol != V1:
		return fmt.Errorf("Config.Protocol is %d; want exchange.V0 or exchange.V1", int(c.Protocol))
	case len(c.Agent) > 64 || strings.ContainsFunc(c.Agent, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Errorf("Config.Agent %q is not 1 to 64 printable ASCII characters", c.Agent)
	}
	var names []string
	for _, t := range c.Transports {
		if name := t.Name(); slices.Contains(names, name) {
			return fmt.Errorf("Config.Transports has two transports named %q", name)
		} else if name == Relay {
			return fmt.Errorf("transport name %q is taken: it is that of connections through a relay", name)
		} else if name == "" || name != strings.ToLower(name) {
			return fmt.Errorf("transport name %q is not a lower-case word", name)
		} else {
			names = append(names, name)
		}
	}
	if err := c.Mesh.validate(); err != nil {
		return err
	}
	if err := validateAddresses(c.Addresses); err != nil {
		return err
	}
	return c.Limits.validate()
}

const modulePath = "github.com/peerexchange/peerexchange"

func defaultAgent() string {
	const name = "peerexchange-go"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return name
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == modulePath && strings.HasPrefix(m.Version, "v") && len(m.Version) < 40 {
			return name + "/" + m.Version
		}
	}
	return name
}
