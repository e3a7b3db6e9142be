package exchange

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/memory"
)

// linkedPair is two seeds, the second of which has a candidate for whoever asks the first.
func (w *world) linkedPair(change ...func(*Config)) (seeds []*node, link *Peer) {
	w.t.Helper()
	seeds = w.meshOf(2, change...)
	w.dialRaw("10.1.0.1", seeds[1]).shakeV0(`"webrtc":true`)
	settle()
	return seeds, seeds[0].Peers()[0]
}

// What a stranger says goes on to siblings, and is not to grow into a message that they
// take for too large, which would end the link.
func TestLinkOutlastsWhatStrangersExclude(t *testing.T) {
	for _, limit := range []string{"64KiB", "4KiB"} {
		t.Run(limit, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seeds, link := w.linkedPair(func(cfg *Config) { cfg.Limits.Set("control-message-bytes", limit) })
				r := w.dialRaw("10.2.0.1", seeds[0]).shakeV0("")
				most := map[string]string{"64KiB": strings.Repeat("<", 128), "4KiB": strings.Repeat("<", 16)}[limit]
				r.line(`{"command":"getPeer","reqId":"1","exclude":["%s"]}`, strings.Repeat(most+`","`, 127)+most)
				if got := r.control(); !strings.Contains(got, `"transport":"webrtc"`) {
					t.Errorf("the stranger is answered %q", got)
				}
				if link.isClosed() {
					t.Errorf("the link ended: %v", link.Err())
				}
			})
		})
	}
}

// Strangers may make up transports, and many of them more than a message to siblings holds.
func TestLinkOutlastsWhatStrangersAccept(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds, link := w.linkedPair(func(cfg *Config) { cfg.OnPeer = nil })
		for i := range 70 {
			var accepts []string
			for j := range maxAnnouncedTransports {
				accepts = append(accepts, fmt.Sprintf(`"%064d":true`, i*100+j))
			}
			w.dialRaw(fmt.Sprintf("10.3.%d.1", i), seeds[1]).shakeV0(strings.Join(accepts, ","))
			settle()
		}
		if link.isClosed() {
			t.Fatalf("the link ended: %v", link.Err())
		}
		r := w.dialRaw("10.2.0.1", seeds[0]).shakeV0("")
		r.line(`{"command":"getPeer","reqId":"1"}`)
		if got := r.control(); !strings.Contains(got, `"transport":"webrtc"`) {
			t.Errorf("who asks at the sibling is answered %q", got)
		}
	})
}

// Peers that say that they go away, and stay, are replaced, but not without end.
func TestMaintainerHoldsFewWhoGoAway(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		for i := range 30 {
			n := w.seed(fmt.Sprintf("10.1.%d.1", i), func(cfg *Config) {
				cfg.OnPeer = func(p *Peer) {
					if !p.Outgoing() {
						p.goAway(nil, time.Hour)
					}
				}
			})
			n.connect(seed)
		}
		n := w.node("10.2.0.1")
		n.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: 3})
		time.Sleep(10 * time.Minute)
		if got := len(n.Peers()); got < 1+3 || got > 1+2*3 {
			t.Errorf("the node has %d peers, want the seed, 3 more and 3 in their place", got)
		}
	})
}

// Two seeds that send a client to each other have it go back and forth at no great rate.
func TestMaintainerSentBackAndForth(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var came atomic.Int64
		urls := []string{"tcp://10.0.0.1:1000", "tcp://10.0.1.1:1000"}
		for i := range urls {
			w.seed(fmt.Sprintf("10.0.%d.1", i), func(cfg *Config) {
				cfg.OnPeer = func(p *Peer) {
					came.Add(1)
					p.goAway(urls[1-i:2-i], time.Minute)
				}
			})
		}
		n := w.node("10.2.0.1")
		n.maintain(MaintainerConfig{Seeds: urls, SeedConnections: 1, Peers: -1})
		time.Sleep(time.Minute)
		if got := came.Load(); got < 2 || got > 70 {
			t.Errorf("the node connected %d times in a minute", got)
		}
	})
}

// A node that hangs up as soon as it has said who it is has said it.
func TestCheckOfNodeThatHangsUp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const candidates = 50
		seed := w.seed("10.0.0.1", verifies, func(cfg *Config) { cfg.Limits.Set("all", "unlimited") })
		for i := range candidates {
			host := fmt.Sprintf("10.1.%d.1", i)
			l, err := w.network.New(memory.Config{Name: transports.TCP, Address: host}).Listen(ctx, transports.Options{Port: 1000})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					io.WriteString(conn, npmGreeting("net"))
					conn.Close()
				}
			}()
			w.dialRaw(host, seed).shakeV0(`"tcp":{"port":1000}`)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := seed.Stats().Checks[CheckPassed]; got != candidates {
			t.Errorf("%d of %d passed: %v", got, candidates, seed.Stats().Checks)
		}
	})
}

// Who may be a peer is asked with the node in between, if the connection goes through it too.
func TestIntroducerOfRelayedData(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var asked atomic.Pointer[Credentials]
		admits := func(cfg *Config) {
			cfg.Admit = func(given Credentials) (func() bool, error) {
				asked.Store(&given)
				return nil, nil
			}
		}
		end := []func(*Config){relaysData, findsNoWay(false)}
		c := w.cutOff([]func(*Config){relaysData}, end, append(end, admits))
		c.meet()
		if got := asked.Load(); got == nil || got.Introducer != c.link || got.Transport != Relay || got.RemoteAddress != "" {
			t.Errorf("asked was %+v", got)
		}
	})
}

// A node that was only remembered leads this one by a name to no address that it could
// not name itself.
func TestGoAwayByNames(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		remembered := "tcp://198.51.100.1:1000"
		w.seed("198.51.100.1", func(cfg *Config) {
			cfg.OnPeer = func(p *Peer) { p.goAway([]string{"tcp://inside.example:22", "tcp://other.example:1000"}, time.Minute) }
		})
		inside := w.listen("192.168.0.1", 22, "")
		other := w.seed("198.51.100.2")
		n := w.node("192.168.0.2").knows(map[string]string{"inside.example": "192.168.0.1", "other.example": "192.168.0.1 198.51.100.2"})
		n.maintain(MaintainerConfig{Store: &memoryStore{addresses: []Address{{URL: remembered, Good: time.Now()}}}, Peers: -1})
		time.Sleep(time.Minute)
		if _, came := inside.counts(); came != 0 {
			t.Errorf("the node was led inside %d times", came)
		}
		if !n.knowsNode(other) {
			t.Error("the node was led nowhere")
		}
	})
}

// Seeds that take members only link without a token, find each other's members for
// members, and send nobody to each other, since nobody shows a token there.
func TestMeshOfMembers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2, newClub(member).members)
		for _, s := range seeds {
			s.TellSiblings(SiblingInfo{Addresses: []string{"tcp://" + s.host + ":1000"}})
		}
		settle()
		join := func(host string, to *node) (*node, *Peer) {
			n := w.node(host)
			p, err := n.Connect(ctx, transports.TCP, to.host, transports.Options{Port: 1000, Token: member})
			if err != nil {
				t.Fatal(err)
			}
			n.next()
			return n, p
		}
		asker, link := join("10.1.0.1", seeds[0])
		if p, err := link.GetNewPeer(ctx); err == nil {
			t.Errorf("a member was sent to %s", p.RemoteAddress())
		}
		candidate, _ := join("10.1.1.1", seeds[1])
		candidate.accept(transports.WebRTC, 0)
		settle()
		if _, err := link.GetNewPeer(ctx); err != nil || !asker.knowsNode(candidate) {
			t.Errorf("the member of a sibling is not found: %v", err)
		}
		before := seeds[1].Stats().RelaysOpened
		r := w.dialRaw("10.2.0.1", seeds[0]).listen(false)
		r.write(opens(0, "pxp"))
		r.line(helloV0, "")
		r.line(`{"command":"helloack"}`)
		r.line(`{"command":"getPeer","reqId":"1"}`)
		if !r.closed() || strings.Contains(r.control(), "webrtc\",\"opts") || seeds[1].Stats().RelaysOpened != before {
			t.Errorf("a stranger is told %q", r.control())
		}
	})
}

// A node that drains offers nobody any more, so it dials nobody to see whether to.
func TestDrainChecksNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies)
		l := w.listen("10.1.0.1", 1000, npmGreeting("net"))
		r := w.dialRaw("10.1.0.1", seed).shakeV0("")
		drained := seed.drain(30 * time.Second)
		synctest.Wait()
		r.line(`{"command":"accept","transport":"tcp","opts":{"port":1000}}`)
		if err := <-drained; err != nil {
			t.Errorf("Drain: %v", err)
		}
		if _, came := l.counts(); came != 0 {
			t.Errorf("dialed %d times", came)
		}
	})
}
