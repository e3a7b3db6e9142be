package webrtc

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// Limits that are part of how the two nodes understand each other.
const (
	// MaxMessageReceived is how many bytes one message of the other node may
	// have. It is announced as a=max-message-size (RFC 8841), which simple-peer
	// obeys; the published clients write up to this much in one message.
	MaxMessageReceived = 262144

	// defaultRemoteMessage is what the other node takes in one message if its
	// description does not say (RFC 8841 section 6).
	defaultRemoteMessage = 65536

	// minRemoteMessage is the smallest limit of the other node that is worth
	// talking to: below it every few bytes would cost a packet.
	minRemoteMessage = 1024
)

// Defaults of [Config].
const (
	DefaultMaxMessageSent = 65536
	DefaultSendBuffer     = 512 * 1024
)

// Config configures a [Transport]. The zero value is ready to use: host
// candidates on all interfaces, no STUN or TURN server.
type Config struct {
	// ICEServers are asked for server-reflexive and relayed candidates, beside
	// those that are learned (see [Transport.UseICEServers]). Without any, a node
	// behind a NAT connects only to nodes that it can reach itself.
	ICEServers []ICEServer

	// TLS configures the connections to turns: servers over TCP, such as the roots
	// to trust. Nil trusts the system's. With it a turn: server over TCP must not
	// have the address of a turns: one.
	TLS *tls.Config

	// RelayOnly uses no path but TURN, so that the other node does not learn
	// this node's addresses. Negotiations fail with [ErrNoTURN] while no turn: or
	// turns: server is configured or learned.
	RelayOnly bool

	// MuxAddr is an address such as ":3479": one UDP port that all connections
	// share, for IPv4 and IPv6, instead of one port per connection and
	// interface. An unspecified host listens on each address that the machine
	// has when the transport is bound; an empty MuxAddr is off, and port 0 picks
	// a free port. See [Transport.Bind].
	//
	// Packets are told apart by where they come from, so two nodes that both
	// share a port hold one connection to each other at a time: a second one
	// takes the first one's place.
	MuxAddr string

	// MuxConn is the shared UDP socket itself, in place of MuxAddr. The transport
	// closes it in [Transport.Close].
	MuxConn net.PacketConn

	// ExternalIPs are addresses that a 1:1 NAT, a load balancer or a node port
	// maps to this machine, each an IP or IP:port. They are announced in
	// addition to the local addresses, with the local port if they have none of
	// their own. A port makes sense only together with MuxAddr or MuxConn.
	ExternalIPs []string

	// AllowCandidate tells whether this node may send to where the other one says that
	// it may be reached, given that and the address at which the node is seen that
	// passes the signals on, which is not valid where nobody knows; see
	// [transport.Introduced]. Whoever has others negotiate can name any address, also
	// such as mean something only in this node's own networks. A candidate that is left
	// out does not keep the other node from being found by where its packets come from.
	// Nil allows all, as two nodes in one network need. It is called from several
	// goroutines.
	AllowCandidate func(candidate, introducer netip.Addr) bool
	// Loopback says whether 127.0.0.1 is among the candidates.
	Loopback Loopback

	// MaxMessageSent is the largest message sent, 16384 to 65536 bytes (0:
	// DefaultMaxMessageSent). What the other node's description allows is
	// obeyed if that is less.
	MaxMessageSent int

	// SendBuffer is how many bytes may wait to be acknowledged by the other
	// node before Write blocks (0: DefaultSendBuffer). It bounds the memory of
	// a slow connection, and at SendBuffer per round trip also its throughput.
	SendBuffer int

	// SendBufferLow is the level at which a blocked Write goes on (0: half of
	// SendBuffer). It must be below SendBuffer.
	SendBufferLow int

	// Logger takes what pion has to say: its errors are
	// warnings here, its warnings are for debugging. Nil discards.
	Logger *slog.Logger
}

// ICEServer is a STUN or TURN server.
type ICEServer = transport.ICEServer

// Loopback says when loopback addresses are candidates.
type Loopback int

const (
	// LoopbackAuto takes loopback addresses only if the machine has no other
	// usable one, so that two programs on an offline machine connect.
	LoopbackAuto Loopback = iota
	// LoopbackAlways takes them beside all others.
	LoopbackAlways
	// LoopbackNever leaves them out.
	LoopbackNever
)

func (c Config) withDefaults() Config {
	if c.MaxMessageSent == 0 {
		c.MaxMessageSent = DefaultMaxMessageSent
	}
	if c.SendBuffer == 0 {
		c.SendBuffer = DefaultSendBuffer
	}
	if c.SendBufferLow == 0 {
		c.SendBufferLow = c.SendBuffer / 2
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if c.MaxMessageSent < 16384 || c.MaxMessageSent > 65536 {
		return fmt.Errorf("MaxMessageSent is %d, want 16384 to 65536", c.MaxMessageSent)
	}
	if c.SendBuffer < c.MaxMessageSent {
		return fmt.Errorf("SendBuffer is %d, want at least MaxMessageSent, %d", c.SendBuffer, c.MaxMessageSent)
	}
	if c.SendBufferLow < 0 || c.SendBufferLow >= c.SendBuffer {
		return fmt.Errorf("SendBufferLow is %d, want 0 to below SendBuffer, %d", c.SendBufferLow, c.SendBuffer)
	}
	if c.Loopback < LoopbackAuto || c.Loopback > LoopbackNever {
		return fmt.Errorf("unknown Loopback %d", c.Loopback)
	}
	if c.MuxAddr != "" && c.MuxConn != nil {
		return errors.New("both MuxAddr and MuxConn are set")
	}
	return nil
}

// external parses ExternalIPs. A zero port stands for the local one.
func (c Config) external() ([]netip.AddrPort, error) {
	addrs := make([]netip.AddrPort, 0, len(c.ExternalIPs))
	for _, text := range c.ExternalIPs {
		addr, err := netip.ParseAddrPort(text)
		if err != nil {
			ip, ipErr := netip.ParseAddr(text)
			if ipErr != nil {
				return nil, fmt.Errorf("external IP %q is neither an IP nor IP:port", text)
			}
			addr = netip.AddrPortFrom(ip, 0)
		}
		addrs = append(addrs, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
	}
	return addrs, nil
}
