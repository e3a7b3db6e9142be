package contract

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/authority"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
	"github.com/peerexchange/peerexchange/internal/seed"
)

// turnServer is the URLs at which a seed says that its STUN and TURN server is.
func turnServer(t *testing.T, port string, trusted authority.Authorities) (urls []string) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted.Certificates)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	response, err := client.Get("https://127.0.0.1:" + port + "/ice")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var ice seed.ICE
	if err := json.NewDecoder(response.Body).Decode(&ice); err != nil {
		t.Fatal(err)
	}
	for _, server := range ice.ICEServers {
		urls = append(urls, server.URLs...)
	}
	for _, kind := range []string{"stun:", "turn:", "transport=udp", "transport=tcp", "turns:"} {
		if !strings.Contains(strings.Join(urls, " "), kind) {
			t.Fatalf("the seed has no %s but %q", kind, urls)
		}
	}
	return urls
}

// startSeed runs one until the test ends, and returns its addresses.
func startSeed(t *testing.T, config seed.Config) []string {
	t.Helper()
	s, err := seed.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s.Status().Addresses
}

// The operator reaches a seed that has a certificate of the operator's authority, and
// says what is wrong where it does not.
func TestReach(t *testing.T) {
	now := time.Now()
	authorities, err := authority.Authorities{}.Renew("demo", now)
	if err != nil {
		t.Fatal(err)
	}
	other, err := authority.Authorities{}.Renew("demo", now)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Certificate{}.Renew(authorities, []string{"127.0.0.1"}, now)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for path, content := range map[string][]byte{cert: certificate.Certificate, key: certificate.Key} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := func(change func(*seed.Config)) string {
		t.Helper()
		config := seed.Config{NetworkID: "demo", Listen: "127.0.0.1:0", TLSCert: cert, TLSKey: key, StateDir: dir, AdminListen: "127.0.0.1:0"}
		change(&config)
		addresses := startSeed(t, config)
		for _, address := range addresses {
			if port, ok := strings.CutPrefix(address, "wss://127.0.0.1:"); ok {
				return port
			}
		}
		t.Fatalf("the seed is at %v", addresses)
		return ""
	}
	good := start(func(c *seed.Config) { c.TURNListen = []string{"127.0.0.1:0"} })
	turn := strings.Join(turnServer(t, good, authorities), " ")
	tokens := filepath.Join(dir, "tokens")
	if err := os.WriteFile(tokens, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	members := start(func(c *seed.Config) { c.Access, c.TokenFile = seed.AccessToken, tokens })
	const nobody = "1" // no program listens on tcpmux

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, hangsUp, _ := net.SplitHostPort(silent.Addr().String())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	defer func() { silent.Close(); <-ended }()

	const wss, tls = "wss://127.0.0.1:", "tls://127.0.0.1:"
	for name, c := range map[string]struct {
		network   string
		addresses string
		turn      string
		trusted   authority.Authorities
		want      v1.SeedReason
		say       string
		silent    string // those at which it is not reached
		untrusted string // of these, those with a certificate that is not good
	}{
		"a seed":                  {"demo", wss + good + " " + tls + good, turn, authorities, v1.SeedReached, "", "", ""},
		"a seed for members":      {"demo", wss + members, "", authorities, v1.SeedReached, "", "", ""},
		"nobody":                  {"demo", wss + nobody + " " + tls + nobody, "", authorities, v1.SeedDialFailed, "nothing answers at " + wss + nobody, wss + nobody + " " + tls + nobody, ""},
		"nobody at one":           {"demo", wss + good + " " + tls + nobody, turn, authorities, v1.SeedDialFailed, "in the firewall? Published is all but " + tls + nobody, tls + nobody, ""},
		"nobody at the first":     {"demo", tls + nobody + " " + wss + good, "", authorities, v1.SeedDialFailed, "nothing answers at " + tls + nobody, tls + nobody, ""},
		"a name that is none":     {"demo", "wss://seed.invalid:443", "", authorities, v1.SeedResolveFailed, "wss://seed.invalid:443: ", "wss://seed.invalid:443", ""},
		"and an address":          {"demo", "wss://seed.invalid:443 " + wss + good, "", authorities, v1.SeedResolveFailed, "external-dns. Published is all but wss://seed.invalid:443", "wss://seed.invalid:443", ""},
		"of another authority":    {"demo", wss + good, "", other, v1.SeedTLSFailed, "unknown authority", wss + good, wss + good},
		"by another name":         {"demo", "wss://localhost:" + good, "", authorities, v1.SeedTLSFailed, "localhost", "wss://localhost:" + good, "wss://localhost:" + good},
		"by another name too":     {"demo", wss + nobody + " wss://localhost:" + good + " " + tls + good, "", authorities, v1.SeedDialFailed, "nothing answers at " + wss + nobody, wss + nobody + " wss://localhost:" + good, "wss://localhost:" + good},
		"of another network":      {"other", tls + good, "", authorities, v1.SeedHandshakeFailed, "of another network", tls + good, ""},
		"something that hangs up": {"demo", "ws://127.0.0.1:" + hangsUp, "", authorities, v1.SeedHandshakeFailed, "is no seed", "ws://127.0.0.1:" + hangsUp, ""},
		"no STUN server":          {"demo", wss + good, turn + " stun:127.0.0.1:" + nobody, authorities, v1.SeedSTUNFailed, "no answer from stun:127.0.0.1:" + nobody, "stun:127.0.0.1:" + nobody, ""},
		"no TURN server":          {"demo", wss + members, turn + " turns:127.0.0.1:" + members, authorities, v1.SeedTURNFailed, "what answers at turns:127.0.0.1:" + members, "turns:127.0.0.1:" + members, ""},
		"no seed, nor its TURN":   {"demo", wss + nobody, turn + " turns:127.0.0.1:" + nobody, authorities, v1.SeedDialFailed, "nothing answers at " + wss + nobody, wss + nobody + " turns:127.0.0.1:" + nobody, ""},
		"half of it, and of TURN": {"demo", wss + good + " " + tls + nobody, turn + " turns:127.0.0.1:" + nobody, authorities, v1.SeedDialFailed, "all but " + tls + nobody + ", turns:127.0.0.1:" + nobody, tls + nobody + " turns:127.0.0.1:" + nobody, ""},
	} {
		t.Run(name, func(t *testing.T) {
			addresses := strings.Fields(c.addresses)
			got := probe.Prober{}.Reach(t.Context(), probe.Target{
				NetworkID: c.network, Addresses: addresses, TURN: strings.Fields(c.turn), Authorities: c.trusted.Certificates,
			})
			if got.Reason != c.want || !strings.Contains(got.Message, c.say) {
				t.Errorf("got %+v, want %s: %s", got, c.want, c.say)
			}
			if !slices.Equal(got.Silent, strings.Fields(c.silent)) || !slices.Equal(got.Untrusted, strings.Fields(c.untrusted)) {
				t.Errorf("silent are %q and not trusted %q, want %q and %q", got.Silent, got.Untrusted, c.silent, c.untrusted)
			}
			reachable := slices.ContainsFunc(addresses, func(address string) bool { return !slices.Contains(got.Silent, address) })
			if got.Reachable != reachable || strings.Contains(got.Message, "Published is") != (reachable && c.silent != "") {
				t.Errorf("got %+v, and that it is reached somewhere is %v", got, reachable)
			}
		})
	}
}
