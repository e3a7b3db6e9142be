package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/peerexchange/peerexchange/internal/seed"
)

// flags are the command line. Every one can be given in the environment too.
type flags struct {
	NetworkID string `name:"network-id" required:"" placeholder:"ID" group:"network" help:"Network to be a seed of: any string that is unique to it. Nodes connect only to nodes with the same one."`

	Access        string `name:"access" default:"public" enum:"public,token" placeholder:"WHO" group:"network" help:"Who is let in: public is everybody, token who presents a token of one of the next three. Default ${default}."`
	TokenFile     string `name:"token-file" placeholder:"FILE" group:"network" help:"Tokens that are good, one a line of 16 bytes or more. This file and the next two are read again when they change."`
	JWTSecretFile string `name:"jwt-secret-file" placeholder:"FILE" group:"network" help:"Secrets of JSON Web Tokens signed with HS256, one a line of 32 bytes or more."`
	JWKSFile      string `name:"jwks-file" placeholder:"FILE" group:"network" help:"Public keys of JSON Web Tokens signed with RS256, ES256, EdDSA and their like, as a JWK Set."`

	Listen      string   `name:"listen" default:":8443" placeholder:"ADDR" group:"listen" help:"TLS: websockets, HTTP and the exchange's own protocol on one port. off turns it off. Default ${default}."`
	TLSCert     string   `name:"tls-cert" placeholder:"FILE" group:"listen" help:"Certificate chain for --listen, PEM. Without it a self-signed certificate is made once and kept in the state directory."`
	TLSKey      string   `name:"tls-key" placeholder:"FILE" group:"listen" help:"Private key of --tls-cert, PEM."`
	ListenPlain string   `name:"listen-plain" default:"off" placeholder:"ADDR" group:"listen" help:"The same without TLS: for development, or behind a proxy that does TLS. Default ${default}."`
	WebRTC      string   `name:"webrtc-listen" default:":3479" placeholder:"ADDR" group:"listen" help:"The one UDP port of the seed's own WebRTC connections. off turns it off: introductions of others over WebRTC work all the same. Default ${default}."`
	AdminListen string   `name:"admin-listen" default:"127.0.0.1:9090" placeholder:"ADDR" group:"listen" help:"The private port: metrics, health, status, and an operator's requests. Whoever reaches it can shut the seed down. off turns it off. Default ${default}."`
	AdminPprof  bool     `name:"admin-pprof" group:"listen" help:"Serve Go's profiles on the private port, below /debug/pprof/."`
	ExternalIPs []string `name:"external-ip" placeholder:"IP" group:"listen" help:"Address under which others reach this machine although it is not its own, as in a cloud or behind a router; with IP:PORT the WebRTC port is another one there. Repeatable."`
	Proxies     []string `name:"trusted-proxies" placeholder:"CIDR" group:"listen" help:"Network of the proxies or load balancers in front of the seed. From these, and nobody else, a PROXY header (version 1 or 2) and X-Forwarded-For say whom a connection is from. Repeatable."`

	TURNListen        []string      `name:"turn-listen" default:":3478" placeholder:"ADDR" group:"turn" help:"STUN and TURN, UDP and TCP, for WebRTC between peers that cannot reach each other. The ports above take TURN too. Repeatable: a machine with several public addresses needs each of them. off turns TURN off. Default ${default}."`
	TURNSecretFile    string        `name:"turn-secret-file" placeholder:"FILE" group:"turn" help:"Shared secrets that credentials are made of, one a line: the first for new ones, all are good. Read again when it changes. Without it one is made once and kept in the state directory."`
	TURNCredentialTTL time.Duration `name:"turn-credential-ttl" default:"${turn_credential_ttl}" placeholder:"TIME" group:"turn" help:"How long the credentials that /ice gives out are good for new connections; those that are there go on. Default ${default}."`
	TURNRelayIP       string        `name:"turn-relay-ip" placeholder:"IP" group:"turn" help:"IPv4 address at which relayed connections are reached. Default: the first --external-ip that is one, or else the address that this machine talks to others from."`
	TURNRelayPorts    string        `name:"turn-relay-ports" default:"${turn_relay_ports}" placeholder:"MIN-MAX" group:"turn" help:"UDP ports of relayed connections there. Default ${default}."`
	TURNAllowPeers    []string      `name:"turn-allow-peer" placeholder:"CIDR" group:"turn" help:"Network that clients may be connected to although it is not public, such as 10.1.0.0/16. Repeatable."`
	TURNDenyPeers     []string      `name:"turn-deny-peer" placeholder:"CIDR" group:"turn" help:"Network that they may not be connected to; this wins. Repeatable."`

	VerifyCandidates bool `name:"verify-candidates" default:"true" group:"run" help:"Dial peers that accept tcp or websocket connections back, at the address that they come from, and offer them to others only once that works. On unless =false, for closed networks and load tests."`

	RelayData bool `name:"relay-data" default:"true" group:"run" help:"Carry the connection of two peers that find no way to each other, not even by TURN, if both allow it: within the limits named relay-data-… On unless =false."`

	MeshDNS        string   `name:"mesh-dns" placeholder:"NAME[:PORT]" group:"mesh" help:"Name under which all seeds of the network are found, looked up every few seconds: its addresses, at the port of --listen unless it says another, or its SRV records if it begins with an underscore."`
	MeshPeers      []string `name:"mesh-peers" placeholder:"URL" group:"mesh" help:"Address of another seed of the network: tls://HOST:PORT, or tcp://HOST:PORT of a port without TLS. Repeatable."`
	MeshSecretFile string   `name:"mesh-secret-file" placeholder:"FILE" group:"mesh" help:"Secrets by which seeds of the network know each other, one a line: two seeds link if they have one in common. Read again when it changes."`
	Advertise      []string `name:"advertise" placeholder:"URL" group:"mesh" help:"Address at which clients reach this seed, such as wss://seed.example.org: what is told about it. Default: what --bootstrap-file says, or else the addresses of the machine. Repeatable, best first."`
	BootstrapFile  string   `name:"bootstrap-file" placeholder:"FILE" group:"mesh" help:"Bootstrap document of the network, JSON: what is served at /.well-known/peer-exchange, and where the seed finds its own addresses. Read again when it changes."`
	SeedName       string   `name:"seed-name" placeholder:"NAME" group:"mesh" help:"Name of this seed in the bootstrap document and to other seeds. Default: the name of the host."`

	Limits []string `name:"limit" placeholder:"NAME=VALUE" group:"run" help:"Change a limit of those listed below. Repeatable; later ones win."`

	StateDir     string        `name:"state-dir" default:"${state_dir}" placeholder:"DIR" group:"run" help:"Where the seed keeps what has to outlast it, such as its own certificate and TURN secret. Default for this user: ${default}."`
	DrainTimeout time.Duration `name:"drain-timeout" default:"${drain_timeout}" placeholder:"TIME" group:"run" help:"How long the seed may take to end after SIGTERM or POST /drain: for its peers to go elsewhere, for introductions in progress and TURN allocations to end. Ctrl-C does not wait for peers to go; a second signal ends the seed at once. Default ${default}."`

	LogLevel  string `name:"log-level" default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" group:"log" help:"debug, info, warn or error. Logs go to standard error. Default ${default}."`
	LogFormat string `name:"log-format" default:"text" enum:"text,json" placeholder:"FORMAT" group:"log" help:"text or json. Default ${default}."`

	Version kong.VersionFlag `name:"version" env:"-" group:"log" help:"Print the version and exit."`

	limits seed.Limits // of Limits
}

// parse reads the command line and the environment. It returns nil if help or
// the version was asked for, which it prints.
func parse(args []string, stdout io.Writer) (*flags, error) {
	var f flags
	exited := false
	parser, err := kong.New(&f,
		kong.Name("seed"),
		kong.Description(description),
		kong.DefaultEnvars("SEED"),
		kong.ExplicitGroups(groups),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100, NoAppDescFormat: true}),
		kong.Help(printHelp),
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { exited = true }),
		kong.Vars{
			"version":       "seed " + version(),
			"state_dir":     seed.DefaultStateDir(),
			"drain_timeout": seed.DefaultDrainTimeout.String(),

			"turn_credential_ttl": seed.DefaultTURNCredentialTTL.String(),
			"turn_relay_ports":    seed.DefaultTURNRelayPorts,
		},
	)
	if err != nil {
		return nil, fmt.Errorf("define the flags: %w", err)
	}
	_, err = parser.Parse(args)
	if exited {
		return nil, nil
	}
	if err != nil {
		if strings.Contains(err.Error(), "missing flags: --network-id") {
			err = errors.New("--network-id is missing: pick a string that is unique to your network, such as --network-id my-game (or SEED_NETWORK_ID in the environment)")
		}
		return nil, strayArgument(plain(err))
	}
	if err := f.refuseZeros(); err != nil {
		return nil, err
	}
	for _, l := range f.Limits {
		name, value, ok := strings.Cut(l, "=")
		if !ok {
			return nil, fmt.Errorf("--limit: %q is not NAME=VALUE, such as peers=50000", l)
		}
		if err := f.limits.Set(name, value); err != nil {
			return nil, fmt.Errorf("--limit: %w", err)
		}
	}
	return &f, nil
}

// refuseZeros is for times of which zero would mean the default to the seed, and
// something else to whoever writes it.
func (f *flags) refuseZeros() error {
	if f.DrainTimeout == 0 {
		return fmt.Errorf("--drain-timeout: 0 is no time: to wait for nobody say 1ms, and leave it out for %v", seed.DefaultDrainTimeout)
	}
	if f.TURNCredentialTTL == 0 {
		return fmt.Errorf("--turn-credential-ttl: 0 is no time: credentials are good for a minute or longer; leave it out for %v", seed.DefaultTURNCredentialTTL)
	}
	return nil
}

// config is what the flags mean to the seed.
func (f *flags) config(logger *slog.Logger) seed.Config {
	return seed.Config{
		NetworkID:      f.NetworkID,
		Access:         f.Access,
		TokenFile:      f.TokenFile,
		JWTSecretFile:  f.JWTSecretFile,
		JWKSFile:       f.JWKSFile,
		Listen:         unlessOff(f.Listen),
		ListenPlain:    unlessOff(f.ListenPlain),
		TLSCert:        f.TLSCert,
		TLSKey:         f.TLSKey,
		StateDir:       f.StateDir,
		WebRTCListen:   unlessOff(f.WebRTC),
		AdminListen:    unlessOff(f.AdminListen),
		AdminPprof:     f.AdminPprof,
		ExternalIPs:    f.ExternalIPs,
		TrustedProxies: f.Proxies,

		MeshDNS:        f.MeshDNS,
		MeshPeers:      f.MeshPeers,
		MeshSecretFile: f.MeshSecretFile,
		Advertise:      f.Advertise,
		BootstrapFile:  f.BootstrapFile,
		SeedName:       f.SeedName,

		TURNListen:        noneIfOff(f.TURNListen),
		TURNSecretFile:    f.TURNSecretFile,
		TURNCredentialTTL: f.TURNCredentialTTL,
		TURNRelayIP:       f.TURNRelayIP,
		TURNRelayPorts:    f.TURNRelayPorts,
		TURNAllowPeers:    f.TURNAllowPeers,
		TURNDenyPeers:     f.TURNDenyPeers,

		VerifyCandidates: f.VerifyCandidates,
		RelayData:        f.RelayData,

		Limits:       f.limits,
		DrainTimeout: f.DrainTimeout,
		Version:      version(),
		Logger:       logger,
	}
}

func unlessOff(addr string) string {
	if addr == "off" {
		return ""
	}
	return addr
}

// noneIfOff is for a flag that can be given several times.
func noneIfOff(addrs []string) []string {
	if len(addrs) == 1 && addrs[0] == "off" {
		return nil
	}
	return addrs
}

// logger writes to w as the flags say.
func (f *flags) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: levels[f.LogLevel]}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

var levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}
