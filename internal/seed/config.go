package seed

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// Config configures a seed. Its fields are the flags of the seed command, whose
// help says more.
type Config struct {
	// NetworkID names the network. It must not be empty.
	NetworkID string

	// Listen is the address of the port with TLS, such as ":8443"; empty is off.
	Listen string
	// ListenPlain is the address of the port without TLS; empty is off. One of
	// the two has to be on.
	ListenPlain string
	// TLSCert and TLSKey are the PEM files of the certificate. Without them a
	// self-signed one is made and kept in StateDir.
	TLSCert, TLSKey string
	// StateDir is where a seed keeps what has to outlast it. It is made if it is
	// not there, and only when there is something to keep.
	StateDir string

	// Access says who may be a peer: [AccessPublic], the default, or [AccessToken].
	Access string
	// TokenFile has the tokens that are good, one a line. JWTSecretFile has
	// secrets with which JSON Web Tokens are signed (HS256), one a line, and JWKSFile
	// public keys of such tokens, as a JWK Set. Each is read again when it changes.
	// One at least goes with AccessToken, and none with AccessPublic.
	TokenFile, JWTSecretFile, JWKSFile string

	// WebRTCListen is the address of the UDP port of the seed's own WebRTC
	// connections, such as ":3479"; empty is off. With AccessToken it is off too:
	// who is introduced presents no token.
	WebRTCListen string
	// ExternalIPs are addresses under which others reach this machine although
	// it does not have them itself, each an IP, or IP:port for WebRTC.
	ExternalIPs []string
	// TURNListen are the addresses of the TURN server, for UDP and TCP, such as
	// ":3478"; none is off. Unless it is off, the ports of the exchange take TURN
	// too.
	TURNListen []string
	// TURNSecretFile has the secrets that TURN credentials are made of, one a
	// line, the one for new credentials first. It is read again when it changes.
	// Without it one secret is made and kept in StateDir.
	TURNSecretFile string
	// TURNCredentialTTL is how long TURN credentials are good for new
	// allocations. Default 1 h, at least 1 min.
	TURNCredentialTTL time.Duration
	// TURNRelayIP is the IPv4 address at which others reach relayed addresses.
	// Empty is the first of ExternalIPs that is one, or else the address that this
	// machine talks to others from.
	TURNRelayIP string
	// TURNRelayPorts is the range of their ports. Default [DefaultTURNRelayPorts].
	TURNRelayPorts string
	// TURNAllowPeers are networks, as CIDRs or addresses, in which TURN clients
	// may have peers although they are not public; TURNDenyPeers those in which
	// they may not. Deny wins.
	TURNAllowPeers, TURNDenyPeers []string

	// MeshDNS is a name, or a name and a port, under which all seeds of the network
	// are found: its addresses, or its SRV records if it begins with an underscore.
	// The port is that of Listen, unless it says another.
	MeshDNS string
	// MeshPeers are the addresses of other seeds, as "tls://host:port" or
	// "tcp://host:port".
	MeshPeers []string
	// MeshSecretFile has the secrets by which seeds of the network know each other,
	// one a line. It is read again when it changes. Without it the seed has no
	// siblings.
	MeshSecretFile string
	// Advertise are the addresses at which clients reach this seed, as
	// exchange.ConnectURL takes them. Empty is what BootstrapFile has for SeedName.
	Advertise []string
	// BootstrapFile has the bootstrap document of the network, an [exchange.Bootstrap]. It is
	// read again when it changes. Without it the seed serves what it knows itself.
	BootstrapFile string
	// SeedName is the name of this seed in it. Default the host's name.
	SeedName string

	// TrustedProxies are the networks, as CIDRs, of the proxies that the ports
	// are behind. From them a PROXY header (version 1 or 2) and X-Forwarded-For
	// are taken for true, and whom they name is whom a connection is from.
	TrustedProxies []string

	// AdminListen is the address of the private port for metrics, health and what
	// an operator asks for, such as "127.0.0.1:9090"; empty is off. Whoever
	// reaches it can disconnect peers and shut the seed down.
	AdminListen string
	// AdminPprof has the admin port serve net/http/pprof too.
	AdminPprof bool
	// Registry gets the metrics of the seed, of the Go runtime and of the process,
	// and must have none of them yet. Nil makes one.
	Registry *prometheus.Registry

	// VerifyCandidates has peers that accept connections dialed back before they
	// are offered to others; see [exchange.Config]. The command has it on unless
	// told otherwise.
	VerifyCandidates bool
	// RelayData carries the connections of peers that find no way to each other; see
	// [exchange.Config.AllowRelayedData].
	RelayData bool

	// Limits bound what strangers can make the seed spend.
	Limits Limits

	// DrainTimeout bounds how long a seed that drains may take: for its peers to go
	// elsewhere, for introductions in progress and for TURN allocations to end.
	// Default 30 s.
	DrainTimeout time.Duration

	// Version is the program's, such as "v1.2.3".
	Version string

	// Logger gets what an operator acts on. Nil discards.
	Logger *slog.Logger
}

// DefaultDrainTimeout is that of a zero [Config].
const DefaultDrainTimeout = 30 * time.Second

// Defaults of a zero [Config] for TURN.
const (
	DefaultTURNCredentialTTL = time.Hour
	DefaultTURNRelayPorts    = "49152-65535"
)

// Bounds of Config.TURNCredentialTTL: a clock may be off by a while, and whoever
// has credentials cannot be kept from using them.
const (
	minTURNCredentialTTL = time.Minute
	maxTURNCredentialTTL = 7 * 24 * time.Hour
)

func (c Config) withDefaults() Config {
	if c.Limits.HandshakeTime == 0 {
		c.Limits.HandshakeTime = exchange.DefaultLimits().HandshakeTime
	}
	c.Limits.setDefaults()
	if c.Access == "" {
		c.Access = AccessPublic
	}
	if c.TURNCredentialTTL == 0 {
		c.TURNCredentialTTL = DefaultTURNCredentialTTL
	}
	if c.TURNRelayPorts == "" {
		c.TURNRelayPorts = DefaultTURNRelayPorts
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = DefaultDrainTimeout
	}
	if c.SeedName == "" {
		c.SeedName, _ = os.Hostname() // without one it has no entry
	}
	if c.Version == "" {
		c.Version = "unknown"
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if c.NetworkID == "" {
		return errors.New("--network-id is empty; pick a string that is unique to your network")
	}
	if c.Listen == "" && c.ListenPlain == "" {
		return errors.New("nothing to listen on: --listen is off and --listen-plain is not given")
	}
	for _, a := range []struct{ flag, addr string }{
		{"--listen", c.Listen}, {"--listen-plain", c.ListenPlain}, {"--webrtc-listen", c.WebRTCListen}, {"--admin-listen", c.AdminListen},
	} {
		if err := checkAddr(a.addr); err != nil {
			return fmt.Errorf("%s: %w", a.flag, err)
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together; give both, or none for a self-signed certificate")
	}
	if err := c.validateAccess(); err != nil {
		return err
	}
	if _, err := parseExternals(c.ExternalIPs); err != nil {
		return err
	}
	if err := c.validateTURN(); err != nil {
		return err
	}
	if err := c.validateMesh(); err != nil {
		return err
	}
	if _, err := parseProxies(c.TrustedProxies); err != nil {
		return fmt.Errorf("--trusted-proxies: %w", err)
	}
	if c.DrainTimeout < 0 {
		return fmt.Errorf("--drain-timeout: %v is negative", c.DrainTimeout)
	}
	return nil
}

// validateTURN looks at the flags of a TURN server that is off, too: they are
// wrong all the same.
func (c Config) validateTURN() error {
	for _, addr := range c.TURNListen {
		if addr == "" {
			return errors.New("--turn-listen is empty; want HOST:PORT or :PORT, such as :3478, or off and nothing else")
		}
		if err := checkAddr(addr); err != nil {
			return fmt.Errorf("--turn-listen: %w", err)
		}
	}
	if c.TURNCredentialTTL < minTURNCredentialTTL || c.TURNCredentialTTL > maxTURNCredentialTTL {
		return fmt.Errorf("--turn-credential-ttl: %v is not from %v to %v", c.TURNCredentialTTL, minTURNCredentialTTL, maxTURNCredentialTTL)
	}
	if c.TURNRelayIP != "" {
		if _, err := parseRelayIP(c.TURNRelayIP); err != nil {
			return fmt.Errorf("--turn-relay-ip: %w", err)
		}
	}
	_, err := c.turnConfig()
	return err
}

// checkAddr tells what is wrong with an address to listen on.
func checkAddr(addr string) error {
	if addr == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is no address to listen on; want HOST:PORT or :PORT, such as :8443, or off", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q has no port from 0 to 65535", addr)
	}
	return nil
}

// parseExternal returns the IP of an external address, which may have a port.
func parseExternal(text string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap(), nil
	}
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%q is neither an IP address nor IP:PORT", text)
	}
	return ip.Unmap(), nil
}
