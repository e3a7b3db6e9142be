package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

const goodToken = "the token of the tests"

var errNoMember = errors.New("no member")

// club is a set of tokens that members have, and what nodes presented.
type club struct {
	mu     sync.Mutex
	tokens map[string]bool
	asked  []Credentials
}

func newClub(tokens ...string) *club {
	c := &club{tokens: make(map[string]bool)}
	for _, token := range tokens {
		c.tokens[token] = true
	}
	return c
}

func (c *club) admit(given Credentials) (func() bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, given)
	if !c.tokens[given.Token] {
		return nil, errNoMember
	}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.tokens[given.Token]
	}, nil
}

// last is what was presented last.
func (c *club) last() Credentials {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[len(c.asked)-1]
}

func (c *club) members(cfg *Config) { cfg.Admit = c.admit }

// token without the spaces that no token has.
var member = strings.ReplaceAll(goodToken, " ", "-")

func TestMembersOnly(t *testing.T) {
	for _, c := range []struct {
		protocol         Protocol
		transport, token string
		admitted         bool
	}{
		{V0, transports.TCP, member, true},
		{V0, transports.WebSocket, member, true},
		{V1, transports.WebSocket, member, true},
		{V0, transports.TCP, "", false},
		{V0, transports.TCP, "wrong", false},
		{V0, transports.WebSocket, "wrong", false},
		{V1, transports.WebSocket, "wrong", false},
		{V1, transports.TCP, member, false}, // which has no place for it
	} {
		t.Run(fmt.Sprintf("%v over %s with %q", c.protocol, c.transport, c.token), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				club := newClub(member)
				seed := w.seed("10.0.0.1", club.members)
				seed.accept(transports.WebSocket, 2000)
				n := w.node("10.0.0.2", func(cfg *Config) { cfg.Protocol = c.protocol })
				port := map[string]int{transports.TCP: 1000, transports.WebSocket: 2000}[c.transport]
				p, err := n.Connect(ctx, c.transport, seed.host, transports.Options{Port: port, Token: c.token})
				synctest.Wait()
				stats := seed.Stats()
				if c.admitted {
					if err != nil || len(seed.Peers()) != 1 || stats.Refused[reasonUnauthorized] != 0 {
						t.Fatalf("%v, %d peers", err, len(seed.Peers()))
					}
					talk(t, p, seed.next())
					if got := club.last(); got != (Credentials{Token: c.token, Transport: c.transport, Protocol: c.protocol, RemoteAddress: n.host}) {
						t.Errorf("presented were %+v", got)
					}
					return
				}
				if !errors.Is(err, ErrUnauthorized) {
					t.Errorf("the node is told %v", err)
				}
				if len(seed.Peers()) != 0 || stats.Handshakes != 0 || stats.Refused[reasonUnauthorized] != 1 || stats.HandshakeFailures[reasonUnauthorized] != 1 {
					t.Errorf("%d peers, %+v", len(seed.Peers()), stats)
				}
				if c.token != "" && strings.Contains(fmt.Sprint(err, seed.errors), c.token) {
					t.Errorf("an error has the token: %v, %v", err, seed.errors)
				}
			})
		})
	}
}

// TestStrangersLearnNothing has strangers of both generations go on as if they
// had been let in, while there is somebody to find.
func TestStrangersLearnNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", newClub(member).members)
		for i, protocol := range []Protocol{V0, V1} {
			m := w.node(fmt.Sprintf("10.0.1.%d", i), func(cfg *Config) { cfg.Protocol = protocol })
			m.accept(transports.WebRTC, 0)
			if protocol == V1 {
				seed.accept(transports.WebSocket, 2000)
				if _, err := m.Connect(ctx, transports.WebSocket, seed.host, transports.Options{Port: 2000, Token: member}); err != nil {
					t.Fatal(err)
				}
			} else if _, err := m.Connect(ctx, transports.TCP, seed.host, transports.Options{Port: 1000, Token: member}); err != nil {
				t.Fatal(err)
			}
		}
		seed.next()
		seed.next()
		before := seed.Stats()

		stranger := w.dialRaw("10.0.0.3", seed).listen(false)
		stranger.write(opens(0, "pxp"))
		stranger.line(helloV0, `"webrtc":true`)
		stranger.line(`{"command":"helloack"}`)
		stranger.line(`{"command":"getPeer","reqId":"r"}`)
		if !stranger.closed() {
			t.Error("a stranger of generation 0 is still connected")
		}
		if said := stranger.control(); strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, `{"command":"hello"`) {
			t.Errorf("it was told %q", said)
		}

		stranger = w.dialRaw("10.0.0.3", seed).listen(true)
		stranger.write(magic + opens(0, "pxp"))
		stranger.line(`["hello","0",[1,{"pxp":true,"relay":true,"webrtc":true},["net"]]]`)
		stranger.line(`["hello","0",[1,{"pxp":true,"relay":true,"webrtc":true},["net"]]]`)
		if said := stranger.control(); strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, `["hello"`) {
			t.Errorf("a stranger of generation 1 was told %q", said)
		}
		stranger.forget()
		stranger.line(`["getpeers","1","net"]`)
		stranger.line(`["relay","2",["0123"]]`)
		if said := stranger.control(); said != "" {
			t.Errorf("a stranger of generation 1 was told %q", said)
		}
		stranger.line(`["connect","3","net"]`)
		if said := stranger.control(); said != `["res","3","unauthorized: this node takes members only"]`+"\n" {
			t.Errorf("the answer to connect is %q", said)
		}
		if !stranger.closed() {
			t.Error("a stranger of generation 1 is still connected")
		}

		// One that waits is not waited for.
		stranger = w.dialRaw("10.0.0.3", seed).listen(true)
		stranger.write(magic + opens(0, "pxp"))
		stranger.line(`["hello","0",[1,false,["net"]]]`)
		time.Sleep(closeLinger)
		if !stranger.closed() {
			t.Error("a stranger that does nothing is still connected")
		}

		after := seed.Stats()
		if after.GetPeer != before.GetPeer || after.RelaysOpened != before.RelaysOpened || after.Handshakes != before.Handshakes {
			t.Errorf("strangers were served: %+v, before %+v", after, before)
		}
		if got := after.Refused[reasonUnauthorized] - before.Refused[reasonUnauthorized]; got != 3 {
			t.Errorf("%d were counted, want 3", got)
		}
		// A member is not offered who was refused.
		for range 8 {
			if _, err := seed.Peers()[0].GetNewPeer(ctx); err == nil {
				t.Fatal("a stranger was found")
			}
		}
	})
}

// TestRefusedAreToldIfTheyUnderstand looks at what is sent.
func TestRefusedAreToldIfTheyUnderstand(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", newClub(member).members)
		hello := func(ext string) string {
			r := w.dialRaw("10.0.0.3", seed).listen(false)
			r.write(opens(0, "pxp"))
			r.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":%s}`, ext)
			if !r.closed() {
				t.Errorf("%s: still connected", ext)
			}
			return r.control()
		}
		const refused = `{"command":"refused","reason":"unauthorized"}` + "\n"
		if said := hello(`{"features":["refusal"]}`); !strings.HasSuffix(said, refused) {
			t.Errorf("who understands was told %q", said)
		}
		if said := hello(`{"features":["ping"],"token":"wrong"}`); strings.Contains(said, "refused") {
			t.Errorf("who does not understand was told %q", said)
		}
	})
}

// TestRefusedIsForWhoAsked has a node say it at the wrong time.
func TestRefusedIsForWhoAsked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		r := w.dialRaw("10.0.0.3", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(`{"command":"refused","reason":"unauthorized"}`)
		r.line(helloV0, "")
		r.line(`{"command":"refused","reason":"full"}`)
		r.line(`{"command":"helloack"}`)
		r.line(`{"command":"refused","reason":"unauthorized"}`)
		if r.closed() || len(seed.Peers()) != 1 {
			t.Error("a node that refuses to be asked is turned away")
		}
	})
}

// TestTokensStayWithWhoWasDialed has nodes that were offered, in every way there
// is, look at what is presented to them.
func TestTokensStayWithWhoWasDialed(t *testing.T) {
	for _, transport := range []string{transports.TCP, transports.WebSocket, transports.WebRTC} {
		t.Run(transport, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				atSeed, atCandidate := newClub(member), newClub("")
				seed := w.seed("10.0.0.1", atSeed.members)
				candidate := w.node("10.0.0.2", atCandidate.members)
				candidate.accept(transport, 0)
				n := w.node("10.0.0.3")
				for _, node := range []*node{candidate, n} {
					if _, err := node.Connect(ctx, transports.TCP, seed.host, transports.Options{Port: 1000, Token: member}); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if _, err := n.GetNewPeer(ctx); err != nil {
					t.Fatal(err)
				}
				got := atCandidate.last()
				if got.Token != "" || got.Transport != transport {
					t.Errorf("the candidate was shown %+v", got)
				}
				if introduced := got.Introducer != nil; introduced != (transport == transports.WebRTC) {
					t.Errorf("introduced is %v", introduced)
				} else if introduced && got.Introducer.DialedURL() != "tcp://10.0.0.1:1000" {
					t.Errorf("introduced by %v", got.Introducer)
				}
			})
		})
	}
}

// TestOffersHaveNoToken has a peer try to plant one.
func TestOffersHaveNoToken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		target := newClub("")
		victim := w.node("10.0.0.4", target.members)
		victim.accept(transports.WebSocket, 3000)
		r := w.dialRaw("10.0.0.3", seed).shakeV0("")
		planter := seed.next()
		found := make(chan error, 1)
		go func() {
			_, err := planter.GetNewPeer(ctx)
			found <- err
		}()
		asked := r.message()
		r.line(`{"command":%q,"transport":"websocket","opts":{"port":3000,"token":"planted","Token":"planted"},"address":"10.0.0.4","nonce":"n"}`, asked["reqId"])
		if err := <-found; err != nil {
			t.Fatal(err)
		}
		if got := target.last().Token; got != "" {
			t.Errorf("presented %q", got)
		}
	})
}

// TestStrangersDoNotDisturbMembers has one claim to be a node that is connected.
func TestStrangersDoNotDisturbMembers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", newClub(member).members)
		n := w.seed("10.0.0.2")
		// The seed dialed: of two connections the one that the smaller instance dialed would go.
		if _, err := seed.Connect(ctx, transports.TCP, n.host, transports.Options{Port: 1000}); err != nil {
			t.Fatal(err)
		}
		r := w.dialRaw("10.0.0.3", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"instance":%q}}`, n.Instance())
		if !r.closed() || len(seed.Peers()) != 1 || len(n.Peers()) != 1 {
			t.Errorf("%d and %d peers", len(seed.Peers()), len(n.Peers()))
		}
	})
}

// TestStrangersDoNotPassForSiblings has one say that it is a seed of the mesh, and
// go on as if it had proved that.
func TestStrangersDoNotPassForSiblings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", newClub(member).members, meshed(meshSecret))
		m := w.node("10.0.0.2")
		m.accept(transports.WebRTC, 0)
		if _, err := m.Connect(ctx, transports.TCP, seed.host, transports.Options{Port: 1000, Token: member}); err != nil {
			t.Fatal(err)
		}
		seed.next()
		r := w.dialRaw("10.0.0.3", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(`{"command":"hello","id":"net","version":0,"accepts":{"webrtc":true},"transports":["webrtc"],`+
			`"ext":{"instance":%q,"features":["mesh","ping"],"mesh":%q}}`, newID(), newID())
		r.line(`{"command":"helloack"}`)
		r.line(`{"command":"getPeer","reqId":"r"}`)
		r.line(`{"command":"ping","token":"t"}`)
		for _, answer := range []string{`"r"`, "pong", "helloack"} {
			if said := r.control(); strings.Contains(said, answer) {
				t.Errorf("a stranger was told %q", said)
			}
		}
		time.Sleep(time.Minute)
		if !r.closed() || len(seed.Peers()) != 1 || seed.Stats().GetPeer != (GetPeerStats{}) {
			t.Errorf("%d peers, %+v", len(seed.Peers()), seed.Stats())
		}
	})
}

// TestMembersOfAMesh has members find each other through two seeds, and nobody
// sent to a seed that would turn it away.
func TestMembersOfAMesh(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		club := newClub(member)
		seeds := w.meshOf(2, club.members)
		for i, s := range seeds {
			s.TellSiblings(SiblingInfo{Addresses: []string{fmt.Sprintf("tcp://10.0.%d.1:1000", i)}})
		}
		var members []*node
		var links []*Peer
		for i, s := range seeds {
			n := w.node(fmt.Sprintf("10.1.%d.1", i))
			n.accept(transports.WebRTC, 0)
			p, err := n.Connect(ctx, transports.TCP, s.host, transports.Options{Port: 1000, Token: member})
			if err != nil {
				t.Fatal(err)
			}
			members, links = append(members, n), append(links, p)
		}
		settle()
		p, err := links[0].GetNewPeer(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if p.Instance() != members[1].Instance() {
			t.Errorf("found %s", p.Instance())
		}
		for range 8 {
			if _, err := links[0].GetNewPeer(ctx); !errors.Is(err, ErrNoCandidates) {
				t.Errorf("a second peer: %v", err)
			}
		}
		if got := seeds[1].Stats().Refused[reasonUnauthorized] + seeds[0].Stats().Refused[reasonUnauthorized]; got != 0 {
			t.Errorf("%d were sent to be turned away", got)
		}
	})
}

func TestAdmitMayLookAtTheExchange(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var seed *node
		seed = w.seed("10.0.0.1", func(cfg *Config) {
			cfg.Admit = func(Credentials) (func() bool, error) {
				if n := len(seed.Peers()); n != 0 {
					return nil, fmt.Errorf("there are %d already", n)
				}
				seed.Stats()
				return nil, nil
			}
		})
		p := w.node("10.0.0.2").connect(seed)
		if !seed.next().Authorized() || !p.Authorized() {
			t.Error("not authorized for ever")
		}
		_, err := w.node("10.0.0.3").Connect(ctx, transports.TCP, seed.host, transports.Options{Port: 1000})
		if !errors.Is(err, ErrUnauthorized) {
			t.Errorf("second: %v", err)
		}
	})
}

func TestAuthorizedEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		club := newClub(member)
		seed := w.seed("10.0.0.1", club.members)
		if _, err := w.node("10.0.0.2").Connect(ctx, transports.TCP, seed.host, transports.Options{Port: 1000, Token: member}); err != nil {
			t.Fatal(err)
		}
		p := seed.next()
		before := p.Authorized()
		club.mu.Lock()
		delete(club.tokens, member)
		club.mu.Unlock()
		if !before || p.Authorized() {
			t.Errorf("authorized is %v and then %v", before, p.Authorized())
		}
		if p.isClosed() {
			t.Error("the peer was disconnected")
		}
		if newPeer(seed.Exchange, p.conn, transports.TCP, false).Authorized() {
			t.Error("who is no peer is authorized")
		}
	})
}

func TestTokenBounds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		longest := strings.Repeat("x", transports.MaxTokenBytes)
		club := newClub(longest)
		seed := w.seed("10.0.0.1", club.members)
		n := w.node("10.0.0.2")
		for _, bad := range []string{longest + "x", "with space", "with\nline", "with ü"} {
			_, err := n.Connect(ctx, transports.TCP, seed.host, transports.Options{Port: 1000, Token: bad})
			if err == nil || !strings.Contains(err.Error(), "token has") || strings.Contains(err.Error(), bad) {
				t.Errorf("%.20q: %v", bad, err)
			}
		}
		if _, err := n.Connect(ctx, transports.TCP, seed.host, transports.Options{Port: 1000, Token: longest}); err != nil {
			t.Error(err)
		}
		r := w.dialRaw("10.0.0.3", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"token":%q}}`, longest+"x")
		if !r.closed() || club.last().Token != "" {
			t.Errorf("a token of %d bytes was looked at", len(club.last().Token))
		}
	})
}

func TestTokensAreNotLogged(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var log strings.Builder
		var mu sync.Mutex
		logged := func(cfg *Config) {
			cfg.Logger = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		seed := w.seed("10.0.0.1", newClub(member).members, logged)
		n := w.node("10.0.0.2", logged)
		for _, token := range []string{member, "another-token-that-is-none"} {
			n.ConnectURL(ctx, "tcp://10.0.0.1:1000?token="+token)
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(log.String(), member) || strings.Contains(log.String(), "another-token") {
			t.Errorf("the log has a token:\n%s", log.String())
		}
		if !strings.Contains(log.String(), "reason=unauthorized remote_addr=10.0.0.2") || !strings.Contains(log.String(), errNoMember.Error()) {
			t.Errorf("the log does not say why:\n%s", log.String())
		}
		if p := seed.Peers(); len(p) != 1 {
			t.Errorf("%d peers", len(p))
		}
	})
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *strings.Builder
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// TestMaintainerPresentsTokens goes to a seed by its address's token, to another
// one by tokens that are made anew, and to a remembered address without any.
func TestMaintainerPresentsTokens(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		store := &memoryStore{addresses: []Address{{URL: "tcp://10.0.0.3:1000", Good: time.Now()}}}
		byURL, byFunc, remembered := newClub("in-the-address"), newClub("made-3"), newClub("")
		w.seed("10.0.0.1", byURL.members)
		w.seed("10.0.0.2", byFunc.members)
		w.seed("10.0.0.3", remembered.members)
		n := w.node("10.0.0.9")
		var made atomic.Int32
		m, err := NewMaintainer(n.Exchange, MaintainerConfig{
			Seeds:           []string{"tcp://10.0.0.1:1000?token=in-the-address", "tcp://10.0.0.2:1000"},
			SeedConnections: 2, Peers: -1, Store: store,
			Token: func(context.Context) (string, error) {
				i := made.Add(1)
				if i == 1 {
					return "", errors.New("not yet")
				}
				return fmt.Sprintf("made-%d", i), nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for address, club := range map[string]*club{"tcp://10.0.0.1:1000": byURL, "tcp://10.0.0.2:1000": byFunc, "tcp://10.0.0.3:1000": remembered} {
			var err error
			for range 3 {
				_, err = m.connect(ctx, address)
				if club != byFunc {
					break
				}
			}
			if err != nil {
				t.Errorf("%s: %v, shown was %+v", address, err, club.asked)
			}
		}
		for _, address := range m.addresses() {
			m.remember(address)
		}
		for _, a := range store.addresses {
			if strings.Contains(a.URL, "token") {
				t.Errorf("remembered is %s", a.URL)
			}
		}
		if byFunc.last().Token != "made-3" || byURL.last().Token != "in-the-address" || remembered.last().Token != "" {
			t.Errorf("shown were %+v, %+v, %+v", byURL.asked, byFunc.asked, remembered.asked)
		}
	})
}

// TestMaintainerGetsIn runs one whose tokens come to be good in the end.
func TestMaintainerGetsIn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.seed("10.0.0.1", newClub("made-3").members)
		n := w.node("10.0.0.9")
		var made atomic.Int32
		n.maintain(MaintainerConfig{
			Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: -1,
			Token: func(context.Context) (string, error) { return fmt.Sprintf("made-%d", made.Add(1)), nil },
		})
		time.Sleep(time.Minute)
		if got := n.Peers(); len(got) != 1 || made.Load() != 3 {
			t.Errorf("peers %v after %d tokens", got, made.Load())
		}
	})
}

type memoryStore struct{ addresses []Address }

func (s *memoryStore) Load() ([]Address, error) { return s.addresses, nil }

func (s *memoryStore) Save(addresses []Address) error {
	s.addresses = addresses
	return nil
}
