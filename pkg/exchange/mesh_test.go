package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

const meshSecret = "a secret of the mesh, long enough"

func meshed(secrets ...string) func(*Config) {
	return func(cfg *Config) {
		cfg.DiscardData = true
		cfg.Mesh = &MeshConfig{Secrets: func() [][]byte {
			var all [][]byte
			for _, s := range secrets {
				all = append(all, []byte(s))
			}
			return all
		}}
	}
}

// meshOf makes seeds that are linked each with each other.
func (w *world) meshOf(n int, change ...func(*Config)) []*node {
	w.t.Helper()
	var seeds []*node
	for i := range n {
		seeds = append(seeds, w.seed(fmt.Sprintf("10.0.%d.1", i), append([]func(*Config){meshed(meshSecret)}, change...)...))
	}
	for i, s := range seeds {
		for _, other := range seeds[:i] {
			s.link(other)
		}
	}
	return seeds
}

func (n *node) link(to *node) *Peer {
	n.t.Helper()
	p, err := n.ConnectSibling(ctx, "tcp://"+to.host+":1000")
	if err != nil {
		n.t.Fatal(err)
	}
	return p
}

// settle lets the siblings tell each other what they have.
func settle() {
	time.Sleep(2 * stateInterval)
	synctest.Wait()
}

func (n *node) siblings() string {
	synctest.Wait()
	var hosts []string
	for _, s := range n.Siblings() {
		hosts = append(hosts, s.RemoteAddress)
	}
	return strings.Join(hosts, " ")
}

func TestSiblingsLink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(3)
		seeds[0].TellSiblings(SiblingInfo{Name: "seed-0", Addresses: []string{"wss://seed-0.example:443"}, Relays: []string{"192.0.2.1:5000-6000"}})
		settle()
		for _, s := range seeds {
			if got := s.Siblings(); len(got) != 2 {
				t.Errorf("%s has %d siblings, want 2", s.host, len(got))
			}
			if stats := s.Stats(); len(stats.Peers) != 0 || stats.Siblings != 2 {
				t.Errorf("stats: %d peers, %d siblings", len(stats.Peers), stats.Siblings)
			}
		}
		for _, s := range seeds[1].Siblings() {
			if s.Instance == seeds[0].Instance() && (s.Name != "seed-0" || len(s.Addresses) != 1 || len(s.Relays) != 1) {
				t.Errorf("sibling is known as %+v", s)
			}
		}
	})
}

// Each side dials the other: one link is left, and both calls return it.
func TestBothDialAndOneLinkStays(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.seed("10.0.0.1", meshed(meshSecret)), w.seed("10.0.1.1", meshed(meshSecret))
		for range 20 {
			done := make(chan error, 2)
			for _, way := range [][2]*node{{a, b}, {b, a}} {
				go func() {
					_, err := way[0].ConnectSibling(ctx, "tcp://"+way[1].host+":1000")
					done <- err
				}()
			}
			failed := 0
			for range 2 {
				if <-done != nil {
					failed++
				}
			}
			if failed == 2 {
				t.Fatal("neither side linked")
			}
			time.Sleep(closeLinger)
			synctest.Wait()
			if len(a.Peers()) != 1 || len(b.Peers()) != 1 {
				t.Fatalf("%d and %d links are left", len(a.Peers()), len(b.Peers()))
			}
			first, second := a.Peers()[0], b.Peers()[0]
			if a.link(b) != first || b.link(a) != second {
				t.Fatal("to link again makes another link")
			}
			first.Close()
			time.Sleep(closeLinger)
			synctest.Wait()
		}
	})
}

func TestSecretsOfAMesh(t *testing.T) {
	const other = "another secret that is long enough"
	for _, c := range []struct {
		name string
		a, b []string
		ok   bool
	}{
		{"same", []string{meshSecret}, []string{meshSecret}, true},
		{"different", []string{meshSecret}, []string{other}, false},
		{"the dialer has a new one", []string{other, meshSecret}, []string{meshSecret}, true},
		{"the acceptor has a new one", []string{meshSecret}, []string{other, meshSecret}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a, b := w.seed("10.0.0.1", meshed(c.a...)), w.seed("10.0.1.1", meshed(c.b...))
				_, err := a.ConnectSibling(ctx, "tcp://10.0.1.1:1000")
				if c.ok != (err == nil) || err != nil && !errors.Is(err, ErrMeshSecret) {
					t.Errorf("link: %v", err)
				}
				if (b.siblings() != "") != c.ok || (a.siblings() != "") != c.ok {
					t.Errorf("siblings: %q and %q", a.siblings(), b.siblings())
				}
				if !c.ok && len(b.Peers())+len(a.Peers()) > 0 {
					t.Error("who is no sibling became a peer")
				}
			})
		})
	}
}

func TestSecretTakenOutEndsLinks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var secrets atomic.Pointer[[][]byte]
		secrets.Store(&[][]byte{[]byte(meshSecret)})
		a := w.seed("10.0.0.1", func(cfg *Config) {
			cfg.Mesh = &MeshConfig{Secrets: func() [][]byte { return *secrets.Load() }}
		})
		p := a.link(w.seed("10.0.1.1", meshed(meshSecret)))
		secrets.Store(&[][]byte{[]byte("another secret that is long enough")})
		<-p.Done()
		if err := p.Err(); !errors.Is(err, ErrMeshSecret) {
			t.Errorf("link ended with %v", err)
		}
	})
}

func TestLinkWithItselfAndWithNoMesh(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.seed("10.0.0.1", meshed(meshSecret))
		w.seed("10.0.1.1")
		if _, err := a.ConnectSibling(ctx, "tcp://10.0.0.1:1000"); !errors.Is(err, ErrSelf) {
			t.Errorf("link with itself: %v", err)
		}
		if _, err := a.ConnectSibling(ctx, "tcp://10.0.1.1:1000"); !errors.Is(err, ErrMeshSecret) {
			t.Errorf("link with a node in no mesh: %v", err)
		}
		if _, err := a.ConnectSibling(ctx, "ws://10.0.1.1:1000"); err == nil {
			t.Error("link over a websocket was made")
		}
		if _, err := w.node("10.0.2.1").ConnectSibling(ctx, "tcp://10.0.0.1:1000"); err == nil {
			t.Error("node in no mesh linked")
		}
	})
}

const helloOf = `{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"agent":"x","instance":"%s","features":["mesh","ping"],"mesh":"%s"}}`

// A stranger gets nowhere, whatever it sends.
func TestStrangersAreNoSiblings(t *testing.T) {
	const instance = "0123456789abcdef0123456789abcdef"
	for name, lines := range map[string][]string{
		"nothing more":       {`{"command":"helloack"}`},
		"no nonce":           {`{"command":"helloack"}`, `{"command":"mesh","op":"proof","proofs":[]}`},
		"made up":            {`{"command":"mesh","op":"proof","proofs":["AAAA","` + strings.Repeat("A", 43) + `"]}`, `{"command":"helloack"}`},
		"state":              {`{"command":"helloack"}`, `{"command":"mesh","op":"state","state":{"peers":1}}`},
		"get":                {`{"command":"helloack"}`, `{"command":"mesh","op":"get","id":"1","want":{"generation":0,"transports":["webrtc"]}}`},
		"challenge":          {`{"command":"mesh","op":"challenge","nonce":"` + instance + `"}`, `{"command":"helloack"}`},
		"many proofs":        {`{"command":"mesh","op":"proof","proofs":[` + strings.Repeat(`"A",`, 20) + `"A"]}`},
		"wrong type":         {`{"command":"mesh","op":{}}`},
		"ordinary, and then": {`{"command":"helloack"}`, `{"command":"getPeer","reqId":"1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1", meshed(meshSecret))
				r := w.dialRaw("10.0.9.9", seed).listen(false)
				r.write(opens(0, "pxp"))
				r.line(helloOf, instance, instance)
				for _, line := range lines {
					r.line("%s", line)
				}
				if got := r.control(); strings.Contains(got, "helloack") || strings.Contains(got, `"proofs"`) || strings.Contains(got, `"state"`) {
					t.Errorf("the seed says %q", got)
				}
				time.Sleep(11 * time.Second)
				if !r.closed() || len(seed.Siblings()) != 0 || len(seed.Peers()) != 0 {
					t.Error("a stranger is a sibling or a peer")
				}
			})
		})
	}
}

// What two seeds say to each other is of no use on another connection, and what a
// seed says itself neither.
func TestProofsAreForOneConnection(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.seed("10.0.0.1", meshed(meshSecret))
		// A dialer is made to prove itself to the attacker, who has no secret.
		attacker := w.node("10.0.9.9")
		attacker.accept(transports.TCP, 1000)
		if _, err := victim.ConnectSibling(ctx, "tcp://10.0.9.9:1000"); !errors.Is(err, ErrMeshSecret) {
			t.Errorf("link with a node that is in no mesh: %v", err)
		}

		// Reflection: the seed's own words are sent back to it.
		r := w.dialRaw("10.0.9.9", victim).listen(false)
		const nonce = "0123456789abcdef0123456789abcdef"
		r.write(opens(0, "pxp"))
		r.line(helloOf, nonce, nonce)
		var challenge struct{ Op, Nonce string }
		for _, line := range r.take() {
			json.Unmarshal(line, &challenge)
		}
		if challenge.Op != "challenge" || len(challenge.Nonce) != 32 {
			t.Fatalf("no challenge: %+v", challenge)
		}
		second := w.dialRaw("10.0.9.9", victim).listen(false)
		second.write(opens(0, "pxp"))
		second.line(helloOf, nonce, challenge.Nonce)
		for _, line := range second.take() {
			r.line("%s", line)
		}
		if !r.closed() || len(victim.Siblings()) != 0 {
			t.Error("reflected words make a sibling")
		}
	})
}

// Whoever says to be a sibling's instance neither keeps the link from being made nor
// takes its place.
func TestImpostorDoesNotShadowASibling(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.seed("10.0.0.1", meshed(meshSecret)), w.seed("10.0.1.1", meshed(meshSecret))
		impostor := func() *raw {
			r := w.dialRaw("10.0.9.9", a).listen(false)
			r.write(opens(0, "pxp"))
			r.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"agent":"x","instance":"%s","features":[]}}`, b.Instance())
			r.line(`{"command":"helloack"}`)
			return r
		}
		first := impostor()
		synctest.Wait()
		p := a.link(b)
		if !first.closed() {
			t.Error("the impostor stays beside the sibling")
		}
		if second := impostor(); !second.closed() || p.Err() != nil || a.siblings() != "10.0.1.1" {
			t.Error("an impostor came in, or put the sibling out")
		}
	})
}

// ask has a peer ask for another one until it gets one.
func ask(t *testing.T, n *node) *Peer {
	t.Helper()
	p, err := n.GetNewPeer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPeersOfSiblingsAreFound(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(3)
		direct, negotiated := w.node("10.1.0.1"), w.node("10.2.0.1")
		direct.accept(transports.WebSocket, 2000)
		negotiated.accept(transports.WebRTC, 0)
		direct.connect(seeds[0])
		negotiated.connect(seeds[1])
		asker := w.node("10.3.0.1")
		seed := asker.connect(seeds[2])
		settle()
		got := map[string]*Peer{}
		for range 2 {
			p, err := seed.GetNewPeer(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got[p.Transport()] = p
		}
		synctest.Wait()
		if got["websocket"] == nil || got["webrtc"] == nil {
			t.Fatalf("found %v, want the one to dial and the one to negotiate with", got)
		}
		if _, err := seed.GetNewPeer(ctx); !errors.Is(err, ErrNoCandidates) {
			t.Errorf("a third peer: %v", err)
		}
		direct.next()
		negotiated.next()
		talk(t, got["websocket"], direct.next())
		talk(t, got["webrtc"], negotiated.next())
		if f := seeds[2].Stats().Forwards; f.Found != 2 {
			t.Errorf("forwards: %+v", f)
		}
		// Whoever is asked by a sibling asks nobody else.
		if f := seeds[0].Stats().Forwards; f.Found+f.None+f.Timeout != 0 {
			t.Errorf("a forwarded request was forwarded: %+v", f)
		}
	})
}

func TestShareOfSiblings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2, limited("getpeer-per-second", "unlimited"))
		for i := range 4 {
			n := w.node(fmt.Sprintf("10.1.%d.1", i))
			n.accept(transports.WebSocket, 2000)
			n.connect(seeds[i/3]) // three here, one there
		}
		settle()
		r := w.dialRaw("10.3.0.1", seeds[0]).shakeV0("")
		far := 0
		for range 400 {
			r.line(`{"command":"getPeer","reqId":"0123"}`)
			if m := r.message(); m["address"] == "10.1.3.1" {
				far++
			}
		}
		if far < 50 || far > 150 {
			t.Errorf("%d of 400 answers were the sibling's peer, want about 100", far)
		}
	})
}

func TestAskerIsNotOfferedItself(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2)
		twice := w.node("10.1.0.1")
		twice.accept(transports.WebRTC, 0)
		twice.connect(seeds[0])
		twice.connect(seeds[1])
		// A npm node has no instance; its address is all that there is to know it by.
		npm := w.dialRaw("10.2.0.1", seeds[0]).shakeV0(`"webrtc":true`)
		again := w.dialRaw("10.2.0.1", seeds[1]).shakeV0(`"webrtc":true`)
		settle()
		for range 20 {
			if p, err := twice.GetNewPeer(ctx); err == nil {
				t.Fatalf("connected to %v", p.RemoteAddress())
			} else if errors.Is(err, ErrSelf) {
				t.Fatal("was offered itself")
			}
			npm.take()
			again.take()
			time.Sleep(time.Minute)
		}
	})
}

func TestNPMAskerIsNotOfferedItsOwnAddress(t *testing.T) {
	for _, c := range []struct {
		name, asker, candidate string
		offered                bool
	}{
		{"another address", "10.2.0.1", "10.2.0.2", true},
		{"its own", "10.2.0.1", "10.2.0.1", false},
		{"on one machine", "127.0.0.1", "127.0.0.1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seeds := w.meshOf(2)
				asker := w.dialRaw(c.asker, seeds[0]).shakeV0("")
				w.dialRaw(c.candidate, seeds[1]).shakeV0(`"webrtc":true`)
				asker1 := w.dialRaw(c.asker, seeds[0]).shakeV1(`null`)
				w.dialRaw(c.candidate, seeds[1]).shakeV1(`{"pxp":true,"relay":true,"webrtc":true}`)
				settle()
				asker.line(`{"command":"getPeer","reqId":"0123"}`)
				if m := asker.message(); (m["transport"] == "webrtc") != c.offered {
					t.Errorf("v0 answer %v", m)
				}
				asker1.line(`["getpeers","1","net"]`)
				if got := asker1.control(); strings.Contains(got, `"id":`) != c.offered {
					t.Errorf("v1 answer %s", got)
				}
			})
		})
	}
}

// The signaling of generation 0 goes through both seeds, and is checked.
func TestRelayAcrossSeedsV0(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2)
		asker := w.dialRaw("10.2.0.1", seeds[0]).shakeV0("")
		candidate := w.dialRaw("10.2.1.1", seeds[1]).shakeV0(`"webrtc":true`)
		settle()
		asker.line(`{"command":"getPeer","reqId":"0123"}`)
		answer, incoming := asker.message(), candidate.message()
		if incoming["command"] != "incoming" {
			t.Fatalf("candidate got %v", incoming)
		}
		from, to := "relay:"+answer["nonce"].(string), "relay:"+incoming["nonce"].(string)
		offer := `{"type":"offer","sdp":` + quoted(offerSDP) + `}` + "\n"
		asker.write(opens(2, from) + data(2, offer))
		if got, _ := candidate.came(to); got != offer {
			t.Fatalf("candidate got %q", got)
		}
		candidate.write(opens(2, to) + data(2, `{"type":"answer","sdp":`+quoted(strings.Replace(offerSDP, "actpass", "active", 1))+"}\n"))
		if got, _ := asker.came(from); !strings.HasPrefix(got, `{"type":"answer"`) {
			t.Fatalf("asker got %q", got)
		}
		asker.write(data(2, `{"type":"nonsense"}`+"\n"))
		if _, ended := candidate.came(to); !ended {
			t.Error("the relay goes on after nonsense")
		}
		for _, s := range seeds {
			if n := s.Stats().Relays; n != 0 {
				t.Errorf("%d relays are left at %s", n, s.host)
			}
		}
		if seeds[0].Stats().Refused["signal"] != 1 || seeds[1].Stats().Refused["signal"] != 0 {
			t.Error("nonsense was not stopped by the seed that it came to")
		}
	})
}

// Whoever goes away takes the whole way along, even if nothing was said on it.
func TestRelayAcrossSeedsEndsWithEitherPeer(t *testing.T) {
	for _, who := range []int{0, 1} {
		inWorld(t, func(t *testing.T, w *world) {
			seeds := w.meshOf(2)
			ends := []*raw{w.dialRaw("10.2.0.1", seeds[0]).shakeV0(""), w.dialRaw("10.2.1.1", seeds[1]).shakeV0(`"webrtc":true`)}
			settle()
			ends[0].line(`{"command":"getPeer","reqId":"0123"}`)
			synctest.Wait()
			if seeds[0].Stats().Relays != 1 || seeds[1].Stats().Relays != 1 {
				t.Fatal("no relay")
			}
			ends[who].conn.Close()
			synctest.Wait()
			if n := seeds[0].Stats().Relays + seeds[1].Stats().Relays; n != 0 {
				t.Errorf("%d relays are left", n)
			}
		})
	}
}

func TestRelayAcrossSeedsV1(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2)
		asker := w.dialRaw("10.2.0.1", seeds[0]).shakeV1(`null`)
		candidate := w.dialRaw("10.2.1.1", seeds[1]).shakeV1(`{"pxp":true,"relay":true,"webrtc":true}`)
		settle()
		asker.line(`["getpeers","1","net"]`)
		var res []json.RawMessage
		json.Unmarshal(asker.take()[0], &res)
		var args []json.RawMessage
		json.Unmarshal(res[2], &args)
		var list []struct{ ID string }
		json.Unmarshal(args[1], &list)
		if len(list) != 1 {
			t.Fatalf("list is %s", res[2])
		}
		asker.line(`["relay","2",["%s"]]`, list[0].ID)
		if got := asker.control(); got != "" {
			t.Errorf("the asker was told %q before the candidate agreed", got)
		}
		var incoming []json.RawMessage
		json.Unmarshal(candidate.take()[0], &incoming)
		var ids []string
		json.Unmarshal(incoming[2], &ids)
		candidate.line(`["res",%s,null]`, incoming[1])
		candidate.write(opens(3, "relay:"+ids[0]) + data(3, magic))
		if got := asker.control(); got != `["res","2",null]`+"\n" {
			t.Errorf("the asker was told %q", got)
		}
		if got, _ := asker.came("relay:" + list[0].ID); got != magic {
			t.Errorf("the asker got %q in the relay", got)
		}
		// An id is good once.
		asker.forget()
		asker.line(`["relay","3",["%s"]]`, list[0].ID)
		if got := asker.control(); !strings.Contains(got, "unknown candidate") {
			t.Errorf("second use of an id: %q", got)
		}
	})
}

// A candidate that goes before it has agreed leaves nobody waiting.
func TestRelayAcrossSeedsV1Refused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2)
		asker := w.dialRaw("10.2.0.1", seeds[0]).shakeV1(`null`)
		candidate := w.dialRaw("10.2.1.1", seeds[1]).shakeV1(`{"pxp":true,"relay":true,"webrtc":true}`)
		settle()
		asker.line(`["getpeers","1","net"]`)
		list := string(asker.take()[0])
		_, rest, _ := strings.Cut(list, `"id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		candidate.conn.Close()
		synctest.Wait()
		asker.line(`["relay","2",["%s"]]`, id)
		if got := asker.control(); !strings.HasPrefix(got, `["res","2","`) {
			t.Errorf("the asker was told %q", got)
		}
		if n := seeds[0].Stats().Relays + seeds[1].Stats().Relays; n != 0 {
			t.Errorf("%d relays are left", n)
		}
	})
}

// rawSibling is a sibling that says nothing but what a test has it say. It has a
// peer to offer over websocket, as it says.
func (w *world) rawSibling(host string, to *node) *raw {
	w.t.Helper()
	r := w.dialRaw(host, to).listen(false)
	instance, nonce := newID(), newID()
	r.write(opens(0, "pxp"))
	r.line(helloOf, instance, nonce)
	var challenge struct{ Op, Nonce string }
	for _, line := range r.take() {
		json.Unmarshal(line, &challenge)
	}
	proof := proofOf(byDialer, []byte(meshSecret), "net", instance, to.Instance(), nonce, challenge.Nonce, "")
	r.line(`{"command":"mesh","op":"proof","proofs":["%s"]}`, proof)
	r.line(`{"command":"helloack"}`)
	r.line(`{"command":"mesh","op":"state","state":{"peers":1,"services":{"v0/websocket":1,"v0/webrtc":1,"v1/webrtc":1}}}`)
	synctest.Wait()
	if to.siblingPeer(instance) == nil {
		w.t.Fatalf("no link: %q", r.control())
	}
	r.forget()
	return r
}

// A sibling that takes requests and answers none delays an asker for a second, and
// is not asked again until it lives.
func TestSilentSibling(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", meshed(meshSecret))
		silent := w.rawSibling("10.0.1.1", seed)
		asker := w.dialRaw("10.3.0.1", seed).shakeV0("")
		began := time.Now()
		asker.line(`{"command":"getPeer","reqId":"0123"}`)
		asker.line(`{"command":"ping","token":"x"}`)
		if m := asker.message(); m["command"] != "pong" {
			t.Errorf("the asker's other business waits: %v", m)
		}
		time.Sleep(siblingTime)
		if m := asker.message(); m["command"] != "0123" || m["transport"] != nil {
			t.Errorf("answer %v", m)
		}
		if took := time.Since(began); took > forwardTime {
			t.Errorf("the answer took %v", took)
		}
		asker.line(`{"command":"getPeer","reqId":"4567"}`)
		if m := asker.message(); m["command"] != "4567" {
			t.Errorf("answer %v", m)
		}
		old := w.dialRaw("10.3.0.2", seed).shakeV1("null")
		old.line(`["getpeers","1","net"]`)
		if got := old.control(); got != `["res","1",[null,[]]]`+"\n" {
			t.Errorf("generation 1 is answered with %q", got)
		}
		if f := seed.Stats().Forwards; f.Timeout != 1 {
			t.Errorf("forwards: %+v", f)
		}
		time.Sleep(probeTime)
		if !silent.closed() {
			t.Error("a sibling that does not answer stays")
		}
	})
}

// Two silent siblings take an asker two seconds, not more.
func TestSilentSiblings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", meshed(meshSecret))
		for i := range 5 {
			w.rawSibling(fmt.Sprintf("10.0.1.%d", i+1), seed)
		}
		asker := w.dialRaw("10.3.0.1", seed).shakeV0("")
		asker.line(`{"command":"getPeer","reqId":"0123"}`)
		time.Sleep(forwardTime)
		if m := asker.message(); m["command"] != "0123" || m["transport"] != nil {
			t.Errorf("answer %v", m)
		}
	})
}

// A sibling that has nobody lets another one be asked; one that answers too late, or
// what nobody asked, or what nobody can use, changes nothing but that its relay ends.
func TestAnswersOfSiblings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", meshed(meshSecret))
		sibling := w.rawSibling("10.0.1.1", seed)
		asker := w.dialRaw("10.3.0.1", seed).shakeV0("")
		asked := func() string {
			asker.line(`{"command":"getPeer","reqId":"0123"}`)
			return sibling.message()["id"].(string)
		}
		none := func() {
			t.Helper()
			if m := asker.message(); m["command"] != "0123" || m["transport"] != nil {
				t.Errorf("answer %v", m)
			}
		}
		sibling.line(`{"command":"mesh","op":"found","id":"%s"}`, asked())
		none()
		sibling.line(`{"command":"mesh","op":"found","id":"%s","found":{"candidate":1,"transport":"udp","opts":{},"address":"10.5.0.1"}}`, asked())
		none()
		sibling.line(`{"command":"mesh","op":"found","id":"%s","found":{"candidate":1,"transport":"webrtc","opts":true,"address":"10.5.0.1","nonce":"early"}}`, asked())
		if m := asker.message(); m["transport"] != "webrtc" {
			t.Errorf("answer %v", m)
		}
		if n := seed.Stats().Relays; n != 1 {
			t.Errorf("%d relays", n)
		}
		late := asked()
		time.Sleep(siblingTime)
		none()
		sibling.forget()
		sibling.line(`{"command":"mesh","op":"found","id":"%s","found":{"candidate":1,"transport":"webrtc","opts":true,"address":"10.5.0.1","nonce":"late"}}`, late)
		if _, ended := sibling.came("relay:late"); !ended {
			t.Error("the sibling is not told that its relay is of no use")
		}
		sibling.line(`{"command":"mesh","op":"relayed","id":"unknown"}`)
		sibling.line(`{"command":"mesh","op":"later version"}`)
		if sibling.closed() || asker.control() != "" {
			t.Error("what is of no use is no reason to do anything")
		}
		// What it was offered of a sibling is told when the sibling is asked again.
		asker.line(`{"command":"getPeer","reqId":"0123"}`)
		if got := sibling.control(); !strings.Contains(got, `"seen":[1]`) {
			t.Errorf("asked again with %s", got)
		}
	})
}

// When a sibling goes, those who wait for it are answered at once.
func TestSiblingGoesWhileAsked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", meshed(meshSecret))
		sibling := w.rawSibling("10.0.1.1", seed)
		asker := w.dialRaw("10.3.0.1", seed).shakeV0("")
		began := time.Now()
		asker.line(`{"command":"getPeer","reqId":"0123"}`)
		synctest.Wait()
		sibling.conn.Close()
		if m := asker.message(); m["transport"] != nil || time.Since(began) > 0 {
			t.Errorf("answer %v after %v", m, time.Since(began))
		}
	})
}

func TestForwardsAreBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", meshed(meshSecret), limited("forwards", "1"))
		w.rawSibling("10.0.1.1", seed)
		asker := w.dialRaw("10.3.0.1", seed).shakeV0("")
		asker.line(`{"command":"getPeer","reqId":"0123"}`)
		asker.line(`{"command":"getPeer","reqId":"4567"}`)
		if m := asker.message(); m["command"] != "4567" || m["transport"] != nil {
			t.Errorf("the request beyond the limit is answered with %v", m)
		}
		if seed.Stats().Refused["forwards"] != 1 {
			t.Errorf("refused: %v", seed.Stats().Refused)
		}
	})
}

func TestRelaysPerSiblingAreBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2, limited("relays-per-sibling", "2"), limited("relays-per-peer", "1"))
		for i := range 4 {
			w.dialRaw(fmt.Sprintf("10.4.0.%d", i), seeds[1]).shakeV0(`"webrtc":true`)
		}
		settle()
		found := 0
		for i := range 4 {
			asker := w.dialRaw(fmt.Sprintf("10.3.0.%d", i), seeds[0]).shakeV0("")
			asker.line(`{"command":"getPeer","reqId":"0123"}`)
			if asker.message()["transport"] != nil {
				found++
			}
		}
		if found != 2 || seeds[0].Stats().Relays != 2 || seeds[1].Stats().Relays != 2 {
			t.Errorf("%d relays through a sibling that takes 2, %d and %d open", found, seeds[0].Stats().Relays, seeds[1].Stats().Relays)
		}
	})
}

func TestSiblingsAreOfferedWhenNobodyElseIs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2)
		seeds[1].TellSiblings(SiblingInfo{Addresses: []string{"tls://10.0.1.1:443", "wss://seed.example:443", "tcp://10.0.1.1:1000"}})
		settle()
		npm := w.dialRaw("10.3.0.1", seeds[0]).shakeV0("")
		got := map[string]bool{}
		for range 12 {
			npm.line(`{"command":"getPeer","reqId":"0123"}`)
			m := npm.message()
			got[fmt.Sprint(m["transport"], m["address"], m["opts"])] = true
		}
		want := "map[tcp10.0.1.1map[port:1000]:true websocketseed.examplemap[port:443 secure:true]:true]"
		if fmt.Sprint(got) != want {
			t.Errorf("a npm node is offered %v, want %s", got, want)
		}
		asker := w.node("10.3.0.2", func(cfg *Config) { cfg.Transports = cfg.Transports[2:] })
		asker.connect(seeds[0])
		var p *Peer
		for p == nil {
			p, _ = asker.GetNewPeer(ctx) // over TLS there is nothing here
		}
		if p.Instance() != seeds[1].Instance() {
			t.Errorf("connected to %s", p.RemoteAddress())
		}

		seeds[1].LeaveMesh()
		synctest.Wait()
		npm.line(`{"command":"getPeer","reqId":"0123"}`)
		if m := npm.message(); m["transport"] != nil {
			t.Errorf("a seed that is about to go is offered: %v", m)
		}
		if s := seeds[0].Siblings(); len(s) != 1 || !s[0].Draining {
			t.Errorf("siblings: %+v", s)
		}
	})
}

func TestSiblingsLimit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.seed("10.0.0.1", meshed(meshSecret), limited("siblings", "1"))
		a.link(w.seed("10.0.1.1", meshed(meshSecret)))
		if _, err := w.seed("10.0.2.1", meshed(meshSecret)).ConnectSibling(ctx, "tcp://10.0.0.1:1000"); err == nil {
			t.Error("one more sibling than allowed")
		}
		if a.Stats().Refused["siblings"] != 1 {
			t.Errorf("refused: %v", a.Stats().Refused)
		}
	})
}

// Strangers who take every place do not keep siblings out.
func TestSiblingsComeInBeyondTheLimitsForStrangers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.seed("10.0.0.1", meshed(meshSecret), limited("peers", "1"), func(cfg *Config) {
			cfg.Mesh.Expects = func(a netip.Addr) bool { return a.String() == "10.0.1.1" }
		})
		w.node("10.9.0.1").connect(a)
		b := w.seed("10.0.1.1", meshed(meshSecret))
		b.link(a)
		if a.siblings() != "10.0.1.1" || len(a.Peers()) != 2 {
			t.Errorf("siblings %q, %d peers", a.siblings(), len(a.Peers()))
		}
		stranger := w.node("10.0.1.1")
		if _, err := stranger.Connect(context.Background(), "tcp", "10.0.0.1", transports.Options{Port: 1000}); err == nil {
			t.Error("a stranger at a sibling's address came in too")
		}
	})
}

// After a partition nobody but those at hand is found, and after it everybody.
func TestPartitionAndHealing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(3)
		n := w.node("10.1.0.1")
		n.accept(transports.WebSocket, 2000)
		n.connect(seeds[0])
		settle()
		for _, p := range seeds[0].Peers() {
			if p.Sibling() {
				p.conn.Close()
			}
		}
		synctest.Wait()
		asker := w.node("10.3.0.1")
		asker.connect(seeds[2])
		if _, err := asker.GetNewPeer(ctx); !errors.Is(err, ErrNoCandidates) {
			t.Errorf("across the partition: %v", err)
		}
		seeds[2].link(seeds[0])
		seeds[1].link(seeds[0])
		settle()
		if p := ask(t, asker); p.Instance() != n.Instance() {
			t.Errorf("found %s", p.RemoteAddress())
		}
	})
}

// A candidate of generation 1 that does not answer has its asker told so when the
// relay's time is over, or when it goes, and once, wherever the two are.
func TestRelayV1Unanswered(t *testing.T) {
	for name, candidateAt := range map[string]int{"at one seed": 0, "across seeds": 1} {
		for how, end := range map[string]func(*raw){
			"the time passes":     func(*raw) { time.Sleep(DefaultLimits().RelayTime) },
			"the candidate goes":  func(candidate *raw) { candidate.conn.Close() },
			"it answers too late": func(*raw) { time.Sleep(2 * DefaultLimits().RelayTime) },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					seeds := w.meshOf(2)
					asker := w.dialRaw("10.2.0.1", seeds[0]).shakeV1(`null`)
					candidate := w.dialRaw("10.2.1.1", seeds[candidateAt]).shakeV1(`{"pxp":true,"relay":true,"webrtc":true}`)
					settle()
					asker.line(`["getpeers","1","net"]`)
					_, rest, _ := strings.Cut(string(asker.take()[0]), `"id":"`)
					id, _, _ := strings.Cut(rest, `"`)
					asker.line(`["relay","2",["%s"]]`, id)
					if got := asker.control(); got != "" {
						t.Fatalf("the asker was told %q before the candidate answered", got)
					}
					_, rest, _ = strings.Cut(candidate.control(), `["incoming","`)
					nonce, _, _ := strings.Cut(rest, `"`)
					end(candidate)
					synctest.Wait()
					candidate.line(`["res","%s",null]`, nonce)
					time.Sleep(DefaultLimits().RelayTime)
					if got, want := asker.control(), fmt.Sprintf(`["res","2","%s"]`, noRelay)+"\n"; got != want {
						t.Errorf("the asker was told %q, want %q", got, want)
					}
					if n := seeds[0].Stats().Relays + seeds[1].Stats().Relays; n != 0 {
						t.Errorf("%d relays are left", n)
					}
					if asker.closed() || asker.destroyed() {
						t.Error("the asker was disconnected or told to drop the connection")
					}
				})
			})
		}
	}
}
