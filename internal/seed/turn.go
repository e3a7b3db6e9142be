package seed

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/peerexchange/peerexchange/internal/turn"
)

// unlimitedTURNHandshake is what a connection may take for an allocation where
// handshake-time is unlimited. There is a limit on how many do.
const unlimitedTURNHandshake = 24 * time.Hour

// relaying is the TURN server of a seed, and what it needs.
type relaying struct {
	// Static after construction.
	server  *turn.Server
	ports   []net.Listener // of its own, TCP
	plain   *handoff       // takes connections that speak STUN
	secure  *handoff       // takes those that speak it in TLS
	secrets *secretFile
	relay   turn.RelayIP
}

// openTURN opens the TURN server's ports, if there is to be one. It comes after
// the ports with the exchange, of whose connections it is given some.
func (s *Seed) openTURN(ctx context.Context) error {
	if len(s.config.TURNListen) == 0 {
		return nil
	}
	cfg, err := s.config.turnConfig()
	if err != nil {
		return err
	}
	external, err := parseExternals(s.config.ExternalIPs)
	if err != nil {
		return err
	}
	r := new(relaying)
	defer func() {
		if s.turn == nil {
			r.closePorts()
		}
	}()
	if r.relay, err = relayAddress(ctx, s.config.TURNRelayIP, external, localAddrs()); err != nil {
		return fmt.Errorf("--turn-relay-ip: %w", err)
	}
	if r.secrets, err = loadTURNSecrets(s.config.TURNSecretFile, s.config.StateDir, s.logger); err != nil {
		return err
	}
	for _, addr := range s.config.TURNListen {
		l, err := listenTCP(ctx, "--turn-listen", addr)
		if err != nil {
			return err
		}
		r.ports = append(r.ports, l)
	}
	r.plain, r.secure = newHandoff(r.ports[0].Addr()), newHandoff(s.ports[0].listener.Addr())
	cfg.Secrets = r.secrets.all
	cfg.RelayIPs = []turn.RelayIP{r.relay}
	cfg.Listeners = []turn.Listener{{Listener: r.plain, Transport: turn.TransportTCP}, {Listener: r.secure, Transport: turn.TransportTLS}}
	cfg.Own = external
	if s.mesh != nil {
		cfg.Siblings = s.mesh.turnRelays
	}
	cfg.Logger = s.logger
	if r.server, err = turn.New(cfg); err != nil {
		return listenError("--turn-listen", strings.Join(s.config.TURNListen, ", "), err)
	}
	s.turn = r
	return nil
}

// turnConfig is what the flags alone say of the TURN server.
func (c Config) turnConfig() (turn.Config, error) {
	ports, err := parsePorts(c.TURNRelayPorts)
	if err != nil {
		return turn.Config{}, fmt.Errorf("--turn-relay-ports: %w", err)
	}
	allow, err := turn.ParsePeers(c.TURNAllowPeers)
	if err != nil {
		return turn.Config{}, fmt.Errorf("--turn-allow-peer: %w", err)
	}
	deny, err := turn.ParsePeers(c.TURNDenyPeers)
	if err != nil {
		return turn.Config{}, fmt.Errorf("--turn-deny-peer: %w", err)
	}
	handshakeTime := c.Limits.HandshakeTime
	if handshakeTime < 0 {
		handshakeTime = unlimitedTURNHandshake
	}
	return turn.Config{
		CredentialTTL: c.TURNCredentialTTL,
		RelayPorts:    ports,
		UDP:           c.TURNListen,
		AllowPeers:    allow,
		DenyPeers:     deny,
		Limits:        c.Limits.turn(),
		HandshakeTime: handshakeTime,
	}, nil
}

// parseExternals returns the IPs of external addresses.
func parseExternals(texts []string) ([]netip.Addr, error) {
	var ips []netip.Addr
	for _, text := range texts {
		ip, err := parseExternal(text)
		if err != nil {
			return nil, fmt.Errorf("--external-ip: %w", err)
		}
		ips = append(ips, ip)
	}
	return ips, nil
}

// tcp are the addresses of the server's own TCP ports.
func (r *relaying) tcp() (addrs []net.Addr) {
	for _, l := range r.ports {
		addrs = append(addrs, l.Addr())
	}
	return addrs
}

func (r *relaying) closePorts() {
	for _, l := range r.ports {
		l.Close()
	}
}

// run serves until the server is closed.
func (r *relaying) run() error { return r.server.Run(context.Background()) }

// allocations is how many there are; a nil server has none.
func (r *relaying) allocations() int {
	if r == nil {
		return 0
	}
	var n int64
	for _, each := range r.server.Stats().Allocations {
		n += each
	}
	return int(n)
}
