package main

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/internal/seed"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// clearEnv takes away what the environment says to the seed.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "SEED_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("STATE_DIRECTORY", "/state")
}

// base is what the seed is told where nothing but the network is given.
func base() seed.Config {
	return seed.Config{
		NetworkID: "net", Access: "public", Listen: ":8443", WebRTCListen: ":3479", AdminListen: "127.0.0.1:9090", StateDir: "/state",
		TURNListen: []string{":3478"}, TURNCredentialTTL: time.Hour, TURNRelayPorts: "49152-65535",
		VerifyCandidates: true, RelayData: true, DrainTimeout: 30 * time.Second, Version: version(),
	}
}

// flagCases has every flag, and its variable of the environment.
var flagCases = []struct {
	flag, value, env string
	change           func(*seed.Config)
}{
	{"listen", "127.0.0.1:443", "SEED_LISTEN", func(c *seed.Config) { c.Listen = "127.0.0.1:443" }},
	{"listen", "off", "SEED_LISTEN", func(c *seed.Config) { c.Listen = "" }},
	{"tls-cert", "c.pem", "SEED_TLS_CERT", func(c *seed.Config) { c.TLSCert = "c.pem" }},
	{"tls-key", "k.pem", "SEED_TLS_KEY", func(c *seed.Config) { c.TLSKey = "k.pem" }},
	{"listen-plain", ":8000", "SEED_LISTEN_PLAIN", func(c *seed.Config) { c.ListenPlain = ":8000" }},
	{"webrtc-listen", ":5000", "SEED_WEBRTC_LISTEN", func(c *seed.Config) { c.WebRTCListen = ":5000" }},
	{"webrtc-listen", "off", "SEED_WEBRTC_LISTEN", func(c *seed.Config) { c.WebRTCListen = "" }},
	{"admin-listen", "127.0.0.1:9091", "SEED_ADMIN_LISTEN", func(c *seed.Config) { c.AdminListen = "127.0.0.1:9091" }},
	{"admin-listen", "off", "SEED_ADMIN_LISTEN", func(c *seed.Config) { c.AdminListen = "" }},
	{"admin-pprof", "true", "SEED_ADMIN_PPROF", func(c *seed.Config) { c.AdminPprof = true }},
	{"external-ip", "203.0.113.1,2001:db8::1", "SEED_EXTERNAL_IP", func(c *seed.Config) { c.ExternalIPs = []string{"203.0.113.1", "2001:db8::1"} }},
	{"trusted-proxies", "10.0.0.0/8,2001:db8::/32", "SEED_TRUSTED_PROXIES", func(c *seed.Config) { c.TrustedProxies = []string{"10.0.0.0/8", "2001:db8::/32"} }},
	{"turn-listen", "192.0.2.1:3478,192.0.2.2:3478", "SEED_TURN_LISTEN", func(c *seed.Config) { c.TURNListen = []string{"192.0.2.1:3478", "192.0.2.2:3478"} }},
	{"turn-listen", "off", "SEED_TURN_LISTEN", func(c *seed.Config) { c.TURNListen = nil }},
	{"turn-secret-file", "secrets", "SEED_TURN_SECRET_FILE", func(c *seed.Config) { c.TURNSecretFile = "secrets" }},
	{"turn-credential-ttl", "2h", "SEED_TURN_CREDENTIAL_TTL", func(c *seed.Config) { c.TURNCredentialTTL = 2 * time.Hour }},
	{"turn-relay-ip", "192.0.2.1", "SEED_TURN_RELAY_IP", func(c *seed.Config) { c.TURNRelayIP = "192.0.2.1" }},
	{"turn-relay-ports", "50000-51000", "SEED_TURN_RELAY_PORTS", func(c *seed.Config) { c.TURNRelayPorts = "50000-51000" }},
	{"turn-allow-peer", "10.0.0.0/8,192.168.1.1", "SEED_TURN_ALLOW_PEER", func(c *seed.Config) { c.TURNAllowPeers = []string{"10.0.0.0/8", "192.168.1.1"} }},
	{"turn-deny-peer", "10.0.0.0/8", "SEED_TURN_DENY_PEER", func(c *seed.Config) { c.TURNDenyPeers = []string{"10.0.0.0/8"} }},
	{"relay-data", "false", "SEED_RELAY_DATA", func(c *seed.Config) { c.RelayData = false }},
	{"mesh-dns", "seeds.example.org:443", "SEED_MESH_DNS", func(c *seed.Config) { c.MeshDNS = "seeds.example.org:443" }},
	{"mesh-peers", "tls://192.0.2.1:443,tcp://192.0.2.2:80", "SEED_MESH_PEERS", func(c *seed.Config) { c.MeshPeers = []string{"tls://192.0.2.1:443", "tcp://192.0.2.2:80"} }},
	{"mesh-secret-file", "mesh", "SEED_MESH_SECRET_FILE", func(c *seed.Config) { c.MeshSecretFile = "mesh" }},
	{"advertise", "wss://seed.example.org", "SEED_ADVERTISE", func(c *seed.Config) { c.Advertise = []string{"wss://seed.example.org"} }},
	{"bootstrap-file", "b.json", "SEED_BOOTSTRAP_FILE", func(c *seed.Config) { c.BootstrapFile = "b.json" }},
	{"seed-name", "seed-0", "SEED_SEED_NAME", func(c *seed.Config) { c.SeedName = "seed-0" }},
	{"verify-candidates", "false", "SEED_VERIFY_CANDIDATES", func(c *seed.Config) { c.VerifyCandidates = false }},
	{"access", "token", "SEED_ACCESS", func(c *seed.Config) { c.Access = "token" }},
	{"token-file", "tokens", "SEED_TOKEN_FILE", func(c *seed.Config) { c.TokenFile = "tokens" }},
	{"jwt-secret-file", "secrets", "SEED_JWT_SECRET_FILE", func(c *seed.Config) { c.JWTSecretFile = "secrets" }},
	{"jwks-file", "keys.json", "SEED_JWKS_FILE", func(c *seed.Config) { c.JWKSFile = "keys.json" }},
	{"limit", "turn-bytes=1MiB,ice-per-minute=7", "SEED_LIMIT", func(c *seed.Config) { c.Limits.TURNBytes, c.Limits.ICEPerMinute = 1<<20, 7 }},
	{"limit", "peers=5,pending-connections=6", "SEED_LIMIT", func(c *seed.Config) { c.Limits.Peers, c.Limits.PendingConnections = 5, 6 }},
	{"limit", "handshake-time=3s", "SEED_LIMIT", func(c *seed.Config) { c.Limits.HandshakeTime = 3 * time.Second }},
	{"limit", "peers=unlimited", "SEED_LIMIT", func(c *seed.Config) { c.Limits.Peers = exchange.Unlimited }},
	{"state-dir", "/elsewhere", "SEED_STATE_DIR", func(c *seed.Config) { c.StateDir = "/elsewhere" }},
	{"drain-timeout", "1m", "SEED_DRAIN_TIMEOUT", func(c *seed.Config) { c.DrainTimeout = time.Minute }},
}

func TestEveryFlag(t *testing.T) {
	for _, c := range flagCases {
		want := base()
		c.change(&want)
		check := func(how string, args ...string) {
			t.Helper()
			f, err := parse(args, &bytes.Buffer{})
			if err != nil {
				t.Errorf("%s: %v", how, err)
			} else if got := f.config(nil); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, want %+v", how, got, want)
			}
		}
		t.Run("--"+c.flag+"="+c.value, func(t *testing.T) {
			clearEnv(t)
			check("as a flag", "--network-id", "net", "--"+c.flag+"="+c.value)
			t.Setenv("SEED_NETWORK_ID", "net")
			t.Setenv(c.env, c.value)
			check("in the environment")
		})
	}
}

func TestRepeatedFlags(t *testing.T) {
	clearEnv(t)
	t.Setenv("SEED_LIMIT", "peers=1")
	f, err := parse([]string{
		"--network-id=net", "--limit=all=unlimited", "--limit=peers-per-ip=7",
		"--external-ip=203.0.113.1:5000", "--external-ip=2001:db8::1",
	}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	c := f.config(nil)
	if c.Limits.Peers != exchange.Unlimited || c.Limits.PeersPerIP != 7 {
		t.Errorf("limits are %+v: a flag wins over the environment, a later one over an earlier", c.Limits)
	}
	if len(c.ExternalIPs) != 2 {
		t.Errorf("external addresses are %v", c.ExternalIPs)
	}
}

func TestBadFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string // in the message
	}{
		{nil, []string{"--network-id", "SEED_NETWORK_ID"}},
		{[]string{"--network-id", "net", "--limit", "peers"}, []string{"--limit", `"peers"`, "NAME=VALUE"}},
		{[]string{"--network-id", "net", "--limit", "peer=1"}, []string{"--limit", `"peer"`, "peers-per-ip", "pending-connections"}},
		{[]string{"--network-id", "net", "--limit", "peers=many"}, []string{"peers=many", "whole number"}},
		{[]string{"--network-id", "net", "--limit", "all=5"}, []string{"all=5", "unlimited"}},
		{[]string{"--network-id", "net", "--limit", "relay-time=5"}, []string{"relay-time=5", "30s"}},
		{[]string{"--network-id", "net", "--log-level", "loud"}, []string{"--log-level", "loud", "debug"}},
		{[]string{"--network-id", "net", "--access", "members"}, []string{"--access", "members", "public", "token"}},
		{[]string{"--network-id", "net", "--log-format", "xml"}, []string{"--log-format", "text", "json"}},
		{[]string{"--network-id", "net", "--drain-timeout", "10"}, []string{"--drain-timeout", `"10" has no unit`, "30s"}},
		{[]string{"--network-id", "net", "--drain-timeout", "0s"}, []string{"--drain-timeout", "1ms", "30s"}},
		{[]string{"--network-id", "net", "--turn-credential-ttl", "0"}, []string{"--turn-credential-ttl", "a minute", "1h"}},
		{[]string{"--network-id", "net", "--lissten", ":1"}, []string{"--lissten", "--listen"}},
		{[]string{"--network-id", "net", "extra"}, []string{"extra", "seed check URL"}},
		{[]string{"--network-id", "net", "--relay-data", "false"}, []string{"argument false", "--relay-data=false"}},
		{[]string{"--network-id"}, []string{"--network-id needs a value"}},
		{[]string{"--network-id", "net", "--drain-timeout"}, []string{"--drain-timeout needs a value"}},
		{[]string{"--network-id", "--listen", ":1"}, []string{"--network-id needs a value"}},
		{[]string{"--network-id", "net", "--limit"}, []string{"--limit needs a value"}},
	} {
		clearEnv(t)
		_, err := parse(c.args, &bytes.Buffer{})
		if err == nil {
			t.Errorf("%q is accepted", c.args)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %q does not say %q", c.args, err, want)
			}
		}
	}
}

func TestHelpTellsEverything(t *testing.T) {
	clearEnv(t)
	var out bytes.Buffer
	f, err := parse([]string{"--help"}, &out)
	if f != nil || err != nil {
		t.Fatalf("parse = %v, %v", f, err)
	}
	help := out.String()
	for _, c := range flagCases {
		if !strings.Contains(help, "--"+c.flag) || !strings.Contains(help, "$"+c.env) {
			t.Errorf("--%s and $%s are not both in the help", c.flag, c.env)
		}
	}
	defaults := seed.DefaultLimits()
	for _, name := range seed.LimitNames() {
		if !strings.Contains(help, name+"="+defaults.Get(name)) || !strings.Contains(help, seed.LimitHelp(name)) {
			t.Errorf("limit %s is not in the help", name)
		}
	}
	for _, want := range []string{"$SEED_NETWORK_ID", "$SEED_LOG_LEVEL", "$SEED_LOG_FORMAT", "Examples:", "/state"} {
		if !strings.Contains(help, want) {
			t.Errorf("%q is not in the help", want)
		}
	}
	for line := range strings.Lines(help) {
		if len(line) > 101 {
			t.Errorf("line is too long: %q", line)
		}
	}
}

func TestVersion(t *testing.T) {
	clearEnv(t)
	var out bytes.Buffer
	if f, err := parse([]string{"--version"}, &out); f != nil || err != nil || out.String() != "seed "+version()+"\n" {
		t.Errorf("parse = %v, %v, and said %q", f, err, out.String())
	}
}

func TestLogger(t *testing.T) {
	clearEnv(t)
	f, err := parse([]string{"--network-id=net", "--log-level=warn", "--log-format=json"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := f.logger(&out)
	log.Info("not this")
	log.Warn("this")
	var record map[string]any
	if err := json.Unmarshal(out.Bytes(), &record); err != nil || record["msg"] != "this" {
		t.Errorf("logged %q, %v", out.String(), err)
	}
}
