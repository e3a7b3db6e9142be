package exchange

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/memory"
)

// iceUser is a transport that notes which ICE servers it is to use.
type iceUser struct {
	transports.Negotiator

	mu sync.Mutex
	// Guarded by mu.
	servers map[string][]transports.ICEServer
	until   map[string]time.Time
}

func (u *iceUser) UseICEServers(source string, servers []transports.ICEServer, until time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(servers) == 0 {
		delete(u.servers, source)
		return
	}
	if u.servers == nil {
		u.servers, u.until = map[string][]transports.ICEServer{}, map[string]time.Time{}
	}
	u.servers[source], u.until[source] = servers, until
}

// learned is what is in use now, as text.
func (u *iceUser) learned() (texts []string) {
	synctest.Wait()
	u.mu.Lock()
	defer u.mu.Unlock()
	for source, servers := range u.servers {
		for _, s := range servers {
			if u.until[source].After(time.Now()) {
				texts = append(texts, fmt.Sprint(s))
			}
		}
	}
	slices.Sort(texts)
	return texts
}

// usesICE has the node's webrtc be u.
func usesICE(u *iceUser) func(*Config) {
	return func(cfg *Config) {
		u.Negotiator = cfg.Transports[1].(transports.Negotiator)
		cfg.Transports[1] = u
	}
}

// handsOut has a node hand out one server, with the number of the time.
func handsOut(ttl time.Duration, urls ...string) func(*Config) {
	times := 0
	var mu sync.Mutex
	return func(cfg *Config) {
		cfg.ICEServers = func(*Peer) ([]transports.ICEServer, time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			times++
			return []transports.ICEServer{{URLs: urls, Username: fmt.Sprint(times), Credential: "c"}}, ttl
		}
	}
}

func wantLearned(t *testing.T, u *iceUser, want ...string) {
	t.Helper()
	if got := u.learned(); !slices.Equal(got, want) {
		t.Errorf("in use are %q, want %q", got, want)
	}
}

// TestICEServersAreRenewed has a seed's servers in use for as long as it is there.
func TestICEServersAreRenewed(t *testing.T) {
	for _, ttl := range []time.Duration{time.Minute, time.Hour} {
		inWorld(t, func(t *testing.T, w *world) {
			seed := w.seed("10.0.0.1", handsOut(ttl, "turn:seed.example", "turn:10.0.0.1:3478"))
			var u iceUser
			n := w.node("10.0.0.2", usesICE(&u))
			link := n.connect(seed)
			wantLearned(t, &u, "{[turn:seed.example turn:10.0.0.1:3478] 1 c}")
			renewals := 0
			for range 200 {
				time.Sleep(ttl / 40)
				if got := u.learned(); len(got) != 1 {
					t.Fatalf("after %v in use are %q", time.Since(link.Since()), got)
				} else if got[0] != fmt.Sprintf("{[turn:seed.example turn:10.0.0.1:3478] %d c}", renewals+1) {
					renewals++
				}
			}
			if renewals < 6 || renewals > 10 {
				t.Errorf("renewed %d times in five times their time", renewals)
			}
			link.Close()
			wantLearned(t, &u)
			n.connect(seed)
			if got := u.learned(); len(got) != 1 {
				t.Errorf("connected again, in use are %q", got)
			}
			seed.Close()
			wantLearned(t, &u)
		})
	}
}

// TestICEServersOfStrangers takes them from nobody but a node that was dialed for
// its own sake.
func TestICEServersOfStrangers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		var u, caller iceUser
		n := w.node("10.0.0.2", usesICE(&u))
		n.accept(transports.TCP, 1000)
		n.connect(seed)

		// It dials this node.
		calls := w.node("10.0.0.3", usesICE(&caller), handsOut(time.Hour, "turn:calls.example"))
		calls.connect(n)
		// This node is led to it.
		offered := w.seed("10.0.0.4", handsOut(time.Hour, "turn:offered.example"))
		offered.connect(seed)
		synctest.Wait()
		p, err := n.GetNewPeer(ctx)
		if err != nil || p.RemoteAddress() != "10.0.0.4" {
			t.Fatal(p, err)
		}
		// It is remembered from then.
		p.Close()
		if _, err := n.connectRemembered(ctx, "tcp://10.0.0.4:1000", nil); err != nil {
			t.Fatal(err)
		}
		wantLearned(t, &u)

		// Who hands out servers uses its own.
		other := w.seed("10.0.0.5", handsOut(time.Hour, "turn:other.example"))
		calls.connect(other)
		wantLearned(t, &caller)
		n.connect(other)
		wantLearned(t, &u, "{[turn:other.example] 2 c}")
	})
}

// TestICEServersForOldNodes has nothing sent to who does not know what it is.
func TestICEServersForOldNodes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var asked, lasts atomic.Int64
		seed := w.seed("10.0.0.1", func(cfg *Config) {
			cfg.ICEServers = func(*Peer) ([]transports.ICEServer, time.Duration) {
				asked.Add(1)
				return nil, time.Duration(lasts.Load())
			}
		})
		npm := w.dialRaw("10.0.0.2", seed).shakeV0("")
		pxp := w.dialRaw("10.0.0.3", seed).shakeV1("null")
		w.node("10.0.0.4").connect(seed) // its transports use no servers
		time.Sleep(time.Hour)
		if asked.Load() != 0 || npm.control() != "" || pxp.control() != "" {
			t.Errorf("asked %d times, sent %q and %q", asked.Load(), npm.control(), pxp.control())
		}
		// One that gets none is not asked for again.
		w.node("10.0.0.5", usesICE(new(iceUser))).connect(seed)
		time.Sleep(time.Hour)
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
		// One that gets none for now is.
		lasts.Store(int64(20 * time.Minute))
		w.node("10.0.0.6", usesICE(new(iceUser))).connect(seed)
		time.Sleep(55 * time.Minute)
		if asked.Load() != 7 {
			t.Errorf("asked %d times, want 7", asked.Load())
		}
	})
}

// TestBadICEServers has a seed at a public address say what it may not.
func TestBadICEServers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var u iceUser
		n := w.node("10.0.0.2", usesICE(&u))
		n.accept(transports.TCP, 1000)
		transport := w.network.New(memory.Config{Name: transports.TCP, Address: "203.0.113.1"})
		l, err := transport.Listen(ctx, transports.Options{Host: "203.0.113.1", Port: 1000})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		seed := &raw{t: t, got: newRawFrames(), gone: make(chan struct{})}
		go func() {
			seed.conn, _ = l.Accept()
			seed.listen(false)
			seed.write(opens(0, "pxp"))
			seed.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"agent":"x","instance":"%s","features":["ice"]}}`, newID())
			seed.line(`{"command":"helloack"}`)
		}()
		link, err := n.Connect(ctx, transports.TCP, "203.0.113.1", transports.Options{Port: 1000})
		if err != nil {
			t.Fatal(err)
		}
		defer seed.conn.Close()
		seed.line(`{"command":"ice","servers":[{"urls":["turn:127.0.0.1:22","turn:10.0.0.1","stun:[fe80::1]:80","stun:[::1]","turn:[::ffff:192.168.0.1]:1?transport=tcp","http://x","turn:0.0.0.0"]},{"urls":["stun:203.0.113.2","stun:127.0.0.1"]}],"ttl":60}`)
		wantLearned(t, &u, "{[stun:203.0.113.2]  }")
		time.Sleep(time.Minute)
		wantLearned(t, &u)
		seed.line(`{"command":"ice","servers":[],"ttl":60}`)
		seed.line(`{"command":"ice","servers":"x","ttl":60}`)
		if !seed.closed() {
			t.Error("a message without servers did no harm")
		}
		<-link.Done()
	})
}

// turned is a connection that may go through TURN.
type turned struct {
	net.Conn
	relayed bool
}

func (c *turned) Relayed() bool { return c.relayed }

func TestPath(t *testing.T) {
	conn := &turned{}
	direct, p := &Peer{conn: conn.Conn}, &Peer{conn: conn}
	if got := []string{direct.Path().String(), p.Path().String()}; !slices.Equal(got, []string{"direct", "direct"}) {
		t.Errorf("paths are %q", got)
	}
	conn.relayed = true
	if p.Path() != PathTURN || p.Path().String() != "turn" {
		t.Errorf("path is %v", p.Path())
	}
}
