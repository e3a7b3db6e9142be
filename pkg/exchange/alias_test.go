package exchange

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// nameless is a node that does not say who it is, as npm nodes do not.
func (w *world) nameless(host string) *node {
	n := w.node(host)
	n.instance, n.features, n.transportNames = "", nil, []string{transports.WebRTC}
	n.accept(transports.WebRTC, 0)
	return n
}

// named is a node of this module that can be introduced to others.
func (w *world) named(host string) *node {
	n := w.seed(host)
	n.accept(transports.WebRTC, 0)
	return n
}

// finds asks a peer for another one.
func (n *node) finds(from *Peer) *Peer {
	n.t.Helper()
	synctest.Wait()
	p, err := from.GetNewPeer(ctx)
	if err != nil {
		n.t.Fatal(err)
	}
	return p
}

// findsNobody asks a peer that has nobody else.
func (n *node) findsNobody(from *Peer) {
	n.t.Helper()
	synctest.Wait()
	if p, err := from.GetNewPeer(ctx); !errors.Is(err, ErrNoCandidates) {
		n.t.Errorf("%s found somebody: %t, %v", n.host, p != nil, err)
	}
}

// leaveNameless ends the connections with nodes that have no name.
func (n *node) leaveNameless() {
	for _, p := range n.Peers() {
		if p.Instance() == "" {
			p.Close()
		}
	}
	time.Sleep(closeLinger)
	synctest.Wait()
}

// TestAliasGoesAlong has nodes that get to know one without a name through each other.
func TestAliasGoesAlong(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed, x, a, b := w.seed("10.0.0.1"), w.nameless("10.0.1.1"), w.named("10.0.2.1"), w.named("10.0.3.1")
		toSeed := x.connect(seed)
		atSeed := a.connect(seed)
		found := a.finds(atSeed)
		a.findsNobody(atSeed)

		// Who is introduced by the one who was introduced hears the same name.
		fromB := b.connect(seed)
		b.finds(b.connect(a))
		b.findsNobody(fromB)
		a.findsNobody(atSeed)
		if len(seed.aliases) != 1 || len(a.aliases) != 1 || len(b.aliases) != 1 {
			t.Fatalf("there are aliases %v at the seed, %v and %v", seed.aliases, a.aliases, b.aliases)
		}
		for alias := range seed.aliases {
			if a.aliases[alias] != 1 || b.aliases[alias] != 1 {
				t.Errorf("it is %s at the seed, %v and %v elsewhere", alias, a.aliases, b.aliases)
			}
		}

		// Once the connection is over it may be made again.
		found.Close()
		synctest.Wait()
		a.finds(atSeed)

		// The one who asks is known, too.
		a.leaveNameless()
		b.leaveNameless()
		x.finds(toSeed)
		synctest.Wait()
		for n, from := range map[*node]*Peer{a: atSeed, b: fromB} {
			if len(n.aliases) > 0 {
				n.findsNobody(from)
			}
		}

		for _, n := range []*node{x, a, b, seed} {
			n.Close()
		}
		for _, n := range []*node{a, b, seed} {
			if len(n.aliases) != 0 {
				t.Errorf("%s still has the aliases %v", n.host, n.aliases)
			}
		}
	})
}

// TestMaintainersMeetOnce has two nodes that want more peers than there are.
func TestMaintainersMeetOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed, x, a, b := w.seed("10.0.0.1"), w.nameless("10.0.1.1"), w.named("10.0.2.1"), w.named("10.0.3.1")
		x.connect(seed)
		ended := make(chan error, 2)
		for _, n := range []*node{a, b} {
			m, err := NewMaintainer(n.Exchange, MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: 16})
			if err != nil {
				t.Fatal(err)
			}
			go func() { ended <- m.Run(ctx) }()
		}
		time.Sleep(time.Hour)
		for _, n := range []*node{a, b} {
			nameless := 0
			for _, p := range n.Peers() {
				if p.Instance() == "" {
					nameless++
				}
			}
			if len(n.Peers()) != 3 || nameless != 1 {
				t.Errorf("%s has %d peers, %d of them without a name; want one each of the seed, the other node, and the one without", n.host, len(n.Peers()), nameless)
			}
		}
		a.Close()
		b.Close()
		<-ended
		<-ended
	})
}

// TestAliasGoesThroughSiblings has both find each other at another seed.
func TestAliasGoesThroughSiblings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(2)
		x, a := w.nameless("10.1.1.1"), w.named("10.1.2.1")
		fromX, fromA := x.connect(seeds[0]), a.connect(seeds[1])
		settle()
		for _, ask := range []func(){func() { a.finds(fromA) }, func() { x.finds(fromX) }} {
			ask()
			synctest.Wait()
			a.findsNobody(fromA)
			a.leaveNameless()
		}
	})
}

// TestAliasIsForWhoKnowsIt looks at what npm nodes and others are told.
func TestAliasIsForWhoKnowsIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		x, npm := w.dialRaw("10.0.1.1", seed).shakeV0(`"webrtc":true`), w.dialRaw("10.0.2.1", seed).shakeV0("")
		npm.line(`{"command":"getPeer","reqId":"r"}`)
		if answer, incoming := npm.message(), x.message(); answer["nonce"] == nil || answer["alias"] != nil || incoming["alias"] != nil {
			t.Errorf("npm nodes are told %v and %v", answer, incoming)
		}

		knows := w.dialRaw("10.0.3.1", seed).listen(false)
		knows.write(opens(0, "pxp"))
		knows.line(`{"command":"hello","id":"net","version":0,"accepts":{"webrtc":true},"transports":["webrtc"],"ext":{"agent":"x","instance":"%s","features":["exclude"]}}`, newID())
		knows.line(`{"command":"helloack"}`)
		knows.take()
		knows.line(`{"command":"getPeer","reqId":"r"}`)
		answer := knows.message()
		alias, _ := answer["alias"].(string)
		if incoming := x.message(); len(alias) != 32 || incoming["alias"] != nil {
			t.Errorf("told %v and %v", answer, incoming)
		}
		for range 3 {
			knows.line(`{"command":"getPeer","reqId":"r","exclude":["%s"]}`, alias)
			if answer := knows.message(); answer["transport"] != nil {
				t.Errorf("offered %v all the same", answer)
			}
		}
		knows.line(`{"command":"getPeer","reqId":"r"}`)
		if answer := knows.message(); answer["alias"] != alias {
			t.Errorf("then told %v", answer)
		}

		npm.line(`{"command":"getPeer","reqId":"r","exclude":["%s"]}`, alias)
		if incoming := knows.message(); len(incoming["alias"].(string)) != 32 || incoming["alias"] == alias {
			t.Errorf("told %v", incoming)
		}
	})
}

// TestLedToEachOtherOnce has nodes without a name get others first than those that
// were led to them.
func TestLedToEachOtherOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		nodes := map[string]*raw{}
		asks := func(host string) string {
			nodes[host].line(`{"command":"getPeer","reqId":"r"}`)
			return nodes[host].message()["address"].(string)
		}
		join := func(host string) { nodes[host] = w.dialRaw(host, seed).shakeV0(`"webrtc":true`) }
		for i := range 20 {
			first, second, third := fmt.Sprintf("10.%d.1.1", i+1), fmt.Sprintf("10.%d.2.1", i+1), fmt.Sprintf("10.%d.3.1", i+1)
			join(first)
			join(second)
			if got := asks(first); got != second {
				t.Fatalf("offered %s, want %s", got, second)
			}
			join(third)
			nodes[second].take()
			if got := asks(second); got != third {
				t.Errorf("offered %s once more", got)
			}
			for _, host := range []string{first, second, third} {
				nodes[host].conn.Close()
			}
			synctest.Wait()
		}
	})
}

// TestAliasIsNoInstance has somebody call a node like another one, which must not harm it.
func TestAliasIsNoInstance(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed, victim := w.seed("10.0.0.1"), w.named("10.0.1.1")
		ours, theirs := net.Pipe()
		defer ours.Close()
		seed.serveConn(theirs, transports.TCP, introduction{alias: victim.Instance()})
		r := &raw{t, ours, newRawFrames(), make(chan struct{})}
		r.shakeV0("")
		p := victim.connect(seed)
		synctest.Wait()
		if p.Err() != nil || r.closed() {
			t.Errorf("one of them is gone: %v, %v", p.Err(), r.closed())
		}
	})
}
