package turn

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"time"
)

// Config configures a [Server]. Zero fields are defaults unless it says otherwise.
type Config struct {
	// Realm is what clients compute their keys with; default "peer-exchange".
	Realm string

	// Secrets returns the shared secrets of which credentials are made, the one for
	// new credentials first; those of all are accepted. It is called for every
	// credential that is made or checked, by several goroutines, so that secrets can
	// be changed at any time: it has to be quick, and what it returns must not change.
	// Required, and not to return none.
	Secrets func() [][]byte
	// CredentialTTL is how long credentials are good for new allocations; default
	// [DefaultCredentialTTL].
	CredentialTTL time.Duration

	// RelayIPs are the addresses that clients' peers see; a new allocation gets one
	// of them. Required.
	RelayIPs []RelayIP
	// RelayPorts is where the relayed addresses' ports are; default 49152 to 65535.
	RelayPorts PortRange

	// UDP and TCP are addresses to listen on, such as ":3478".
	UDP, TCP []string
	// UDPSockets is how many sockets share each UDP address by SO_REUSEPORT; default
	// GOMAXPROCS, and one where there is no such thing.
	UDPSockets int
	// Listeners accept clients' connections that somebody else has made sense of, such
	// as decrypted TLS. The server closes them.
	Listeners []Listener

	Limits Limits

	// AllowPeers are ranges in which there may be peers although they are not public;
	// DenyPeers those in which there may not. Deny wins. See [ParsePeers].
	AllowPeers, DenyPeers []netip.Prefix
	// Own are addresses that lead to this machine; nobody is to reach it by way of the
	// server, but for relayed addresses. RelayIPs need not be given, nor those of its
	// network interfaces, which are listed again every minute.
	Own []netip.Addr
	// Siblings returns where other servers have relayed addresses, which are allowed
	// even in private ranges. It is called for each permission and has to be quick.
	// May be nil.
	Siblings func() []Relay

	// HandshakeTime is how long a connection may be without an allocation; default
	// [DefaultHandshakeTime].
	HandshakeTime time.Duration

	// Logger gets what an operator acts on. Nil discards.
	Logger *slog.Logger
}

// Listener is where connections of clients come from.
type Listener struct {
	net.Listener
	Transport string // that they are counted by: TransportTCP or TransportTLS
}

// RelayIP is an address for relayed addresses.
type RelayIP struct {
	// Announce is the IPv4 address that clients are told.
	Announce netip.Addr
	// Listen is this machine's address that the world reaches by Announce, if it is
	// another, behind one-to-one NAT.
	Listen netip.Addr
}

// Limits bound what clients can make the server spend. Zero is the default, and
// [Unlimited] or any other negative number no limit.
type Limits struct {
	AllocationsPerCredential int // by the name that a credential is for; default 128
	AllocationsPerClient     int // by IPv4 address, or IPv6 /64; default 256
	Allocations              int // default 8192
	Permissions              int // of one allocation; channels have the same limit of their own; default 128

	BytesPerAllocation int64 // a second, both directions together; default 8 MiB
	Bytes              int64 // a second, of all allocations; default 128 MiB

	Challenges         int // answers a second to a client without valid credentials; default 20
	PendingConnections int // connections without an allocation; one more closes the oldest; default 1024
}

// Unlimited is no limit, in [Limits].
const Unlimited = -1

// Defaults of a zero [Config].
const (
	DefaultRealm         = "peer-exchange"
	DefaultCredentialTTL = time.Hour
	DefaultHandshakeTime = 10 * time.Second
)

// DefaultLimits returns what zero Limits mean.
func DefaultLimits() Limits {
	return Limits{
		AllocationsPerCredential: 128, AllocationsPerClient: 256, Allocations: 8192, Permissions: 128,
		BytesPerAllocation: 8 << 20, Bytes: 128 << 20,
		Challenges: 20, PendingConnections: 1024,
	}
}

func (c Config) withDefaults() Config {
	setDefault(&c.Realm, DefaultRealm)
	setDefault(&c.CredentialTTL, DefaultCredentialTTL)
	setDefault(&c.RelayPorts, PortRange{49152, 65535})
	setDefault(&c.UDPSockets, runtime.GOMAXPROCS(0))
	setDefault(&c.HandshakeTime, DefaultHandshakeTime)
	d := DefaultLimits()
	setDefault(&c.Limits.AllocationsPerCredential, d.AllocationsPerCredential)
	setDefault(&c.Limits.AllocationsPerClient, d.AllocationsPerClient)
	setDefault(&c.Limits.Allocations, d.Allocations)
	setDefault(&c.Limits.Permissions, d.Permissions)
	setDefault(&c.Limits.BytesPerAllocation, d.BytesPerAllocation)
	setDefault(&c.Limits.Bytes, d.Bytes)
	setDefault(&c.Limits.Challenges, d.Challenges)
	setDefault(&c.Limits.PendingConnections, d.PendingConnections)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c *Config) validate() error {
	switch {
	case c.Secrets == nil || len(c.Secrets()) == 0:
		return errors.New("no TURN secret")
	case len(c.RelayIPs) == 0:
		return errors.New("no relay IP")
	case c.CredentialTTL < time.Second:
		return fmt.Errorf("credential TTL %v is less than a second", c.CredentialTTL)
	case c.RelayPorts.Min == 0 || c.RelayPorts.Min > c.RelayPorts.Max:
		return fmt.Errorf("relay ports %d to %d are no range of ports", c.RelayPorts.Min, c.RelayPorts.Max)
	case c.UDPSockets < 0:
		return fmt.Errorf("%d UDP sockets", c.UDPSockets)
	case c.HandshakeTime < 0:
		return fmt.Errorf("handshake time %v is negative", c.HandshakeTime)
	case len(c.UDP)+len(c.TCP)+len(c.Listeners) == 0:
		return errors.New("nothing to listen on")
	case len(c.Realm) > 127:
		return errors.New("realm is longer than 127 bytes")
	}
	for _, l := range c.Listeners {
		if l.Transport != TransportTCP && l.Transport != TransportTLS {
			return fmt.Errorf("listener %v has the transport %q", l.Addr(), l.Transport)
		}
	}
	for _, secret := range c.Secrets() {
		if len(secret) == 0 {
			return errors.New("empty TURN secret")
		}
	}
	for i, ip := range c.RelayIPs {
		if !ip.Announce.Is4() || ip.Announce.IsUnspecified() {
			return fmt.Errorf("relay IP %v is no IPv4 address that peers could reach", ip.Announce)
		}
		if ip.Listen.IsValid() && !ip.Listen.Is4() {
			return fmt.Errorf("relay IP %v: %v to listen on is no IPv4 address", ip.Announce, ip.Listen)
		}
		for _, other := range c.RelayIPs[:i] {
			if other.Announce == ip.Announce {
				return fmt.Errorf("relay IP %v is given twice", ip.Announce)
			}
		}
	}
	return nil
}
