package seed

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

const (
	oneSecret     = "0123456789abcdef of the mesh"
	anotherSecret = "fedcba9876543210 of the mesh"
)

// names is a resolver that knows where the seeds of a test are. A name with an
// underscore has all of them, any other one the loopback address.
type names struct {
	mu    sync.Mutex
	seeds []*net.SRV
}

func (n *names) add(s *Seed) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seeds = append(n.seeds, &net.SRV{Target: "127.0.0.1", Port: uint16(s.ports[0].number())})
}

func (n *names) LookupSRV(context.Context, string, string, string) (string, []*net.SRV, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return "", slices.Clone(n.seeds), nil
}

func (n *names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func writeFile(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// meshConfig is that of a seed that has siblings.
func meshConfig(t *testing.T, secrets ...string) Config {
	cfg := testConfig(t)
	cfg.MeshSecretFile = writeFile(t, strings.Join(secrets, "\n"))
	cfg.VerifyCandidates = false
	cfg.Limits.GetPeerPerSecond = exchange.Unlimited // for tests that ask until something is so
	return cfg
}

// startMesh starts seeds that find each other by name, their own among them.
func startMesh(t *testing.T, n int, change ...func(i int, cfg *Config)) []*testSeed {
	t.Helper()
	known := new(names)
	var seeds []*testSeed
	for i := range n {
		cfg := meshConfig(t, oneSecret)
		cfg.MeshDNS = "_mesh._tcp.test"
		for _, c := range change {
			c(i, &cfg)
		}
		seeds = append(seeds, startSeed(t, cfg, func(s *Seed) {
			s.mesh.siblings.resolver = known
			known.add(s)
		}))
	}
	for _, s := range seeds {
		s.awaitSiblings(t, n-1)
	}
	return seeds
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx := testContext(t)
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !so() {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("not in time: %s", what)
		}
	}
}

func (s *testSeed) awaitSiblings(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d siblings", n), func() bool { return len(s.exchange.Siblings()) == n })
}

// links are the seed's connections to siblings.
func (s *testSeed) links() []*exchange.Peer {
	return slices.DeleteFunc(s.exchange.Peers(), func(p *exchange.Peer) bool { return !p.Sibling() })
}

// join connects a node to a seed.
func (s *testSeed) join(t *testing.T, ex *exchange.Exchange) *exchange.Peer {
	t.Helper()
	p, err := ex.Connect(testContext(t), transports.WebSocket, "127.0.0.1", transports.Options{Port: s.plain})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newCandidate is a node that others can be introduced to.
func newCandidate(t *testing.T, protocol exchange.Protocol, s *testSeed) *exchange.Exchange {
	t.Helper()
	ex := newNode(t, protocol)
	if err := ex.Accept(testContext(t), transports.WebRTC, transports.Options{}); err != nil {
		t.Fatal(err)
	}
	s.join(t, ex)
	return ex
}

// meet has a node ask a seed until it gets a peer, and talks with that.
func meet(t *testing.T, seed *exchange.Peer) *exchange.Peer {
	t.Helper()
	ctx := testContext(t)
	var met *exchange.Peer
	eventually(t, "a peer is found", func() bool {
		p, err := seed.GetNewPeer(ctx)
		if err != nil && !errors.Is(err, exchange.ErrNoCandidates) {
			t.Fatal(err)
		}
		met = p
		// A sibling is offered too, where a seed does not know yet whom the others have.
		return err == nil && !strings.HasPrefix(p.Agent(), "peerexchange-seed/")
	})
	met.SetDeadline(time.Now().Add(stepTime))
	const text = "hello across seeds"
	if _, err := io.WriteString(met, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(met, got); err != nil || string(got) != text {
		t.Fatalf("echo is %q, %v", got, err)
	}
	return met
}

func TestPeersOfDifferentSeedsMeet(t *testing.T) {
	for _, protocol := range []exchange.Protocol{exchange.V0, exchange.V1} {
		t.Run(protocol.String(), func(t *testing.T) {
			seeds := startMesh(t, 3)
			newCandidate(t, protocol, seeds[0])
			asker := newNode(t, protocol)
			p := meet(t, seeds[1].join(t, asker))
			if p.Transport() != transports.WebRTC || p.Protocol() != protocol {
				t.Errorf("met over %s in %v", p.Transport(), p.Protocol())
			}
			if got := seeds[1].Stats().Forwards.Found; got == 0 {
				t.Error("nothing was forwarded")
			}
		})
	}
}

// Whoever is at a seed is found by everybody at the others.
func TestEverybodyIsFoundThroughOneOfFive(t *testing.T) {
	seeds := startMesh(t, 5)
	want := map[string]bool{}
	for _, s := range seeds {
		ex := newNode(t, exchange.V0)
		if err := ex.Accept(testContext(t), transports.WebSocket, transports.Options{Host: "127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
		s.join(t, ex)
		want[ex.Instance()] = true
	}
	asker := newNode(t, exchange.V0)
	seed := seeds[2].join(t, asker)
	for range seeds {
		delete(want, meet(t, seed).Instance())
	}
	if len(want) != 0 {
		t.Errorf("%d were not found", len(want))
	}
}

// Each pair has one link, whoever dialed, and none has one with itself.
func TestOneLinkOfEachPair(t *testing.T) {
	seeds := startMesh(t, 3)
	for range 3 {
		for _, s := range seeds {
			for _, p := range s.links() {
				p.Close()
			}
		}
		for _, s := range seeds {
			eventually(t, "one link with each sibling", func() bool { return len(s.links()) == 2 && len(s.exchange.Siblings()) == 2 })
		}
	}
	for _, s := range seeds {
		for _, sibling := range s.exchange.Siblings() {
			if sibling.Instance == s.exchange.Instance() {
				t.Error("a seed is its own sibling")
			}
		}
	}
}

func TestSeedThatIsGone(t *testing.T) {
	seeds := startMesh(t, 3)
	newCandidate(t, exchange.V0, seeds[1])
	seeds[2].Close()
	for _, s := range seeds[:2] {
		s.awaitSiblings(t, 1)
	}
	meet(t, seeds[0].join(t, newNode(t, exchange.V0)))
}

// wire is the way between two seeds, which can be cut.
type wire struct {
	listener net.Listener
	to       string
	running  sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func startWire(t *testing.T, to *testSeed) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, to: fmt.Sprintf("127.0.0.1:%d", to.secure), conns: map[net.Conn]bool{}}
	w.running.Go(w.serve)
	t.Cleanup(func() { l.Close(); w.sever(); w.running.Wait() })
	return w
}

func (w *wire) url() string { return "tls://" + w.listener.Addr().String() }

func (w *wire) serve() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil || !w.enter(near, far) {
			near.Close()
			if far != nil {
				far.Close()
			}
			continue
		}
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			w.running.Go(func() {
				io.Copy(way[0], way[1])
				near.Close()
				far.Close()
			})
		}
	}
}

func (w *wire) enter(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = true
	}
	return !w.cut
}

func (w *wire) sever() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for c := range w.conns {
		c.Close()
	}
	clear(w.conns)
}

func (w *wire) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = false
}

func TestMeshIsPartitionedAndHeals(t *testing.T) {
	a := startSeed(t, meshConfig(t, oneSecret))
	way := startWire(t, a)
	cfg := meshConfig(t, oneSecret)
	cfg.MeshPeers = []string{way.url()}
	b := startSeed(t, cfg)
	a.awaitSiblings(t, 1)
	b.awaitSiblings(t, 1)
	newCandidate(t, exchange.V0, a)
	asker := b.join(t, newNode(t, exchange.V0))

	way.sever()
	a.awaitSiblings(t, 0)
	b.awaitSiblings(t, 0)
	if p, err := asker.GetNewPeer(testContext(t)); !errors.Is(err, exchange.ErrNoCandidates) {
		t.Errorf("across the partition: %v, %v", p, err)
	}
	way.heal()
	meet(t, asker)
}

// A proxy in the middle that has a certificate of its own is not taken for the
// seed behind it, as it could read and write everything.
func TestNobodyIsInTheMiddle(t *testing.T) {
	a := startSeed(t, meshConfig(t, oneSecret))
	// The one in the middle ends the TLS of one side and begins that of the other.
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pair := newOperatorPair(t, time.Now())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			raw, err := outside.Accept()
			if err != nil {
				return
			}
			running.Go(func() { passOn(raw, pair, a.secure) })
		}
	})
	t.Cleanup(func() { outside.Close(); running.Wait() })
	b := startSeed(t, meshConfig(t, oneSecret))
	if _, err := b.exchange.ConnectSibling(testContext(t), "tls://"+outside.Addr().String()); !errors.Is(err, exchange.ErrMeshSecret) {
		t.Errorf("link through a man in the middle: %v", err)
	}
	if len(a.exchange.Siblings())+len(b.exchange.Siblings()) != 0 {
		t.Error("they are siblings")
	}
}

// recorded is what was logged.
type recorded struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *recorded) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *recorded) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func TestSeedsWithDifferentSecrets(t *testing.T) {
	a := startSeed(t, meshConfig(t, oneSecret))
	var log recorded
	cfg := meshConfig(t, anotherSecret)
	cfg.MeshPeers = []string{fmt.Sprintf("tls://127.0.0.1:%d", a.secure)}
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	b := startSeed(t, cfg)
	eventually(t, "the log says why there is no link", func() bool {
		text := log.String()
		return strings.Contains(text, "no link with a sibling") && strings.Contains(text, "has none of this one's secrets")
	})
	eventually(t, "the refusal is counted", func() bool { return a.Stats().Refused["mesh-secret"] > 0 })
	if len(a.exchange.Siblings())+len(b.exchange.Siblings())+len(a.exchange.Peers()) != 0 {
		t.Error("they are siblings, or peers")
	}

	// The secret is replaced without a restart, one above the other.
	if err := os.WriteFile(a.config.MeshSecretFile, []byte(anotherSecret+"\n"+oneSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.mesh.secrets.files.update(); err != nil {
		t.Fatal(err)
	}
	a.awaitSiblings(t, 1)
	b.awaitSiblings(t, 1)
}

// Two clients that reach nothing but one seed each are connected from relay to
// relay, once these are siblings.
func TestRelayToRelay(t *testing.T) {
	seeds := startMesh(t, 2, func(i int, cfg *Config) {
		cfg.TURNListen = []string{"127.0.0.1:0"}
		cfg.TURNRelayIP = fmt.Sprintf("127.0.0.%d", 10+i)
		cfg.TURNDenyPeers = []string{"127.0.0.99"}
	})
	var relayed []net.PacketConn
	for i, s := range seeds {
		eventually(t, "the sibling's relay is known", func() bool { return len(s.mesh.turnRelays()) == 1 })
		username, credential, _ := s.turn.server.Credentials("test")
		client := s.dialTURN(t, "turn:"+s.turn.server.Addrs("udp")[0].String(), username, credential)
		relay, err := client.Allocate()
		if err != nil {
			t.Fatal(err)
		}
		defer relay.Close()
		relayed = append(relayed, relay)
		for peer, allowed := range map[string]bool{
			fmt.Sprintf("127.0.0.%d:50000", 11-i): true,
			"127.0.0.12:50000":                    false,
			"127.0.0.99:50000":                    false,
		} {
			addr, err := net.ResolveUDPAddr("udp4", peer)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.CreatePermission(addr); (err == nil) != allowed {
				t.Errorf("permission for %s: %v", peer, err)
			}
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 100)
		n, from, err := relayed[1].ReadFrom(buf)
		if err == nil {
			relayed[1].WriteTo(buf[:n], from)
		}
	}()
	echo(t, relayed[0], relayed[1].LocalAddr())
	<-done
}

func TestRelaysThatSiblingsTell(t *testing.T) {
	far, near := exchange.Sibling{RemoteAddress: "203.0.113.1"}, exchange.Sibling{RemoteAddress: "127.0.0.1"}
	for _, c := range []struct {
		sibling exchange.Sibling
		text    string
		ok      bool
	}{
		{far, "203.0.113.7:49152-65535", true},
		{far, "10.0.0.1:5000-6000", true},
		{far, "127.0.0.1:5000-6000", false},
		{near, "127.0.0.1:5000-6000", true},
		{far, "0.0.0.0:5000-6000", false},
		{far, "224.0.0.1:5000-6000", false},
		{far, "[2001:db8::1]:5000-6000", false},
		{far, "203.0.113.7:6000-5000", false},
		{far, "203.0.113.7:", false},
		{far, "203.0.113.7:0-5000", false},
		{far, "seed.example:5000-6000", false},
		{far, "", false},
	} {
		if _, ok := siblingRelay(c.sibling, c.text); ok != c.ok {
			t.Errorf("relay %q of a sibling at %s: %v, want %v", c.text, c.sibling.RemoteAddress, ok, c.ok)
		}
	}
}

// A seed that shuts down is not offered, and not asked.
func TestSiblingThatDrains(t *testing.T) {
	seeds := startMesh(t, 2, func(i int, cfg *Config) {
		cfg.Advertise = []string{fmt.Sprintf("ws://seed-%d.example:80", i)}
	})
	eventually(t, "the address is known", func() bool { return len(seeds[0].exchange.Siblings()[0].Addresses) == 1 })
	if got := len(seeds[0].served().Seeds); got != 2 {
		t.Errorf("the document has %d seeds", got)
	}
	seeds[1].exchange.LeaveMesh()
	eventually(t, "the sibling drains", func() bool { return seeds[0].exchange.Siblings()[0].Draining })
	if got := len(seeds[0].served().Seeds); got != 1 {
		t.Errorf("the document has %d seeds", got)
	}
	if s := seeds[0].Status().Siblings; len(s) != 1 || !s[0].Draining {
		t.Errorf("status has %+v", s)
	}
}

// A Go client is sent to a sibling's name, where that leads where the seed can be.
func TestSiblingIsOfferedByName(t *testing.T) {
	seeds := startMesh(t, 2)
	seeds[1].exchange.TellSiblings(exchange.SiblingInfo{Addresses: []string{fmt.Sprintf("ws://localhost:%d", seeds[1].plain)}})
	ctx := testContext(t)
	ex, err := exchange.New(t.Name(), exchange.Config{Transports: []transports.Transport{websocket.New(websocket.Config{})}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ex.Close() })
	seed := seeds[0].join(t, ex)
	var p *exchange.Peer
	eventually(t, "the sibling is offered", func() bool {
		p, err = seed.GetNewPeer(ctx)
		return err == nil
	})
	if want := fmt.Sprintf("ws://127.0.0.1:%d", seeds[1].plain); p.DialedURL() != want || p.Instance() != seeds[1].exchange.Instance() {
		t.Errorf("connected to %s, want %s", p.DialedURL(), want)
	}
}

func TestBootstrapFile(t *testing.T) {
	document := func(sequence int, address string) string {
		return fmt.Sprintf(`{"network":%q,"sequence":%d,"later":1,"seeds":[{"name":"seed-0","addresses":[%q]},{"name":"seed-1","addresses":["wss://seed-1.example"]}]}`, t.Name(), sequence, address)
	}
	seeds := startMesh(t, 2, func(i int, cfg *Config) {
		cfg.SeedName = fmt.Sprintf("seed-%d", i)
		cfg.BootstrapFile = writeFile(t, document(7, "wss://old.example"))
	})
	client, base := seeds[0].client(t)
	get := func() (got Bootstrap) {
		res, err := client.Get(base + "/.well-known/peer-exchange")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := get()
	want := Bootstrap{
		Bootstrap: exchange.Bootstrap{Network: t.Name(), Sequence: 7, Seeds: []exchange.BootstrapSeed{
			{Name: "seed-0", Addresses: []string{"wss://old.example"}}, {Name: "seed-1", Addresses: []string{"wss://seed-1.example"}},
		}},
		Instance: seeds[0].exchange.Instance(), Agent: "peerexchange-seed/test", Protocols: []string{"v0", "v1"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("document is %+v\nwant %+v", got, want)
	}
	if got := seeds[0].Status().Addresses; len(got) != 1 || got[0] != "wss://old.example" {
		t.Errorf("addresses are %v", got)
	}
	replace := func(content string) error {
		if err := os.WriteFile(seeds[0].config.BootstrapFile, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return seeds[0].bootstrap.files.update()
	}
	if err := replace(document(8, "wss://new.example")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the sibling knows the new address", func() bool {
		s := seeds[1].exchange.Siblings()
		return len(s) == 1 && s[0].Name == "seed-0" && slices.Equal(s[0].Addresses, []string{"wss://new.example"})
	})
	for _, bad := range []string{"", "[]", `{"network":"other"}`, document(9, "https://no.example"), fmt.Sprintf(`{"network":%q,"seeds":[{"addresses":[%s"ws://x"]}]}`, t.Name(), strings.Repeat(`"ws://x",`, 16))} {
		if err := replace(bad); err == nil {
			t.Errorf("%.60s was taken over", bad)
		}
	}
	if got := get().Sequence; got != 8 {
		t.Errorf("sequence is %d, want 8", got)
	}
}

func TestMeshFlags(t *testing.T) {
	secret := writeFile(t, oneSecret)
	for _, c := range []struct {
		name   string
		change func(*Config)
		says   string
	}{
		{"no secret", func(c *Config) { c.MeshDNS = "seeds.example" }, "--mesh-secret-file"},
		{"short secret", func(c *Config) { c.MeshSecretFile = writeFile(t, "short") }, "--mesh-secret-file"},
		{"no file", func(c *Config) { c.MeshSecretFile = "/nowhere" }, "--mesh-secret-file"},
		{"no name", func(c *Config) { c.MeshSecretFile, c.MeshDNS = secret, "a b" }, "--mesh-dns"},
		{"no port", func(c *Config) { c.MeshSecretFile, c.MeshDNS = secret, "seeds.example:http" }, "--mesh-dns"},
		{"websocket", func(c *Config) { c.MeshSecretFile, c.MeshPeers = secret, []string{"wss://seed.example"} }, "--mesh-peers"},
		{"no URL", func(c *Config) { c.MeshSecretFile, c.MeshPeers = secret, []string{"seed.example:443"} }, "--mesh-peers"},
		{"advertised token", func(c *Config) { c.Advertise = []string{"wss://seed.example?token=t"} }, "--advertise"},
		{"advertise", func(c *Config) { c.Advertise = []string{"https://seed.example"} }, "--advertise"},
		{"bootstrap", func(c *Config) { c.BootstrapFile = writeFile(t, "{}") }, "--bootstrap-file"},
	} {
		cfg := testConfig(t)
		c.change(&cfg)
		s, err := New(t.Context(), cfg)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v does not say %s", c.name, err, c.says)
		}
	}
}

type fakeNames struct{ err error }

func (f fakeNames) LookupSRV(context.Context, string, string, string) (string, []*net.SRV, error) {
	return "", []*net.SRV{{Target: "seed-0.example.", Port: 8443}, {Target: "seed-1.example.", Port: 9000}}, f.err
}

func (f fakeNames) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if f.err != nil {
		return nil, f.err
	}
	return []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, nil
}

func TestWhereSiblingsAre(t *testing.T) {
	all := func(m map[string]bool) (keys []string) {
		for k := range m {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		return keys
	}
	look := func(n meshNames) []string {
		t.Helper()
		targets, ips, err := n.look(t.Context())
		if err != nil || len(ips) == 0 {
			t.Errorf("%+v: %v, at %v", n, err, ips)
		}
		return all(targets)
	}
	found := fakeNames{}
	for _, c := range []struct {
		names meshNames
		want  []string
	}{
		{meshNames{resolver: found, scheme: "tls", name: "seeds.example", port: "8443"}, []string{"tls://192.0.2.1:8443", "tls://[2001:db8::1]:8443"}},
		{meshNames{resolver: found, scheme: "tcp", name: "_x._tcp.example", service: true}, []string{"tcp://seed-0.example:8443", "tcp://seed-1.example:9000"}},
		{meshNames{resolver: found, urls: []string{"tls://192.0.2.9:1", "tcp://seed.example:2"}}, []string{"tcp://seed.example:2", "tls://192.0.2.9:1"}},
	} {
		if got := look(c.names); !slices.Equal(got, c.want) {
			t.Errorf("siblings are %v, want %v", got, c.want)
		}
	}
	n := meshNames{resolver: fakeNames{&net.DNSError{IsNotFound: true}}, name: "seeds.example"}
	if _, _, err := n.look(t.Context()); err != nil {
		t.Errorf("a name without addresses yet: %v", err)
	}
	n.resolver = fakeNames{errors.New("server misbehaving")}
	if _, _, err := n.look(t.Context()); err == nil {
		t.Error("a failure is not told")
	}
}

// TestSiblingsAreExpectedWhileNamesFail has a seed that is full take the links of its
// siblings although nobody answers where they are.
func TestSiblingsAreExpectedWhileNamesFail(t *testing.T) {
	m := new(mesh)
	m.expected.Store(new(map[netip.Addr]bool))
	known, never := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.7")
	names := meshNames{name: "seeds.example", port: "8443"}
	for _, c := range []struct {
		resolver fakeNames
		want     []netip.Addr
	}{
		{fakeNames{}, []netip.Addr{known}},
		{fakeNames{errors.New("server misbehaving")}, []netip.Addr{known}},
		{fakeNames{&net.DNSError{IsNotFound: true}}, nil},
	} {
		names.resolver = c.resolver
		_, ips, err := names.look(t.Context())
		m.expect(ips, err)
		for _, ip := range []netip.Addr{known, never} {
			if got := m.config().Expects(ip); got != slices.Contains(c.want, ip) {
				t.Errorf("after %v: expected at %v: %v", err, ip, got)
			}
		}
	}
}

// passOn is who ends the TLS of one side and begins that of the other.
func passOn(raw net.Conn, pair operatorPair, port int) {
	defer raw.Close()
	certificate, err := tls.X509KeyPair([]byte(pair.cert), []byte(pair.key))
	if err != nil {
		return
	}
	near := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{certificate}})
	far, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			io.Copy(way[0], way[1])
			near.Close()
			far.Close()
		})
	}
	both.Wait()
}
