//go:build interop

package interop

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// payload is what scenarios send each way over a connection they care about.
const payload = 1 << 20

// scenario is one test's steps on its participants: the first that fails ends
// the test and says which it was.
type scenario struct {
	*testing.T
	ctx context.Context // of the whole test
}

func newScenario(t *testing.T) scenario {
	return scenario{t, testContext(t)}
}

func (s scenario) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// accept makes p accept and says where.
func (s scenario) accept(p participant, l link) endpoint {
	s.Helper()
	at, err := p.accept(s.ctx, l.transport, l.secure)
	s.must(err)
	return at
}

func (s scenario) acceptWebRTC(p participant) {
	s.Helper()
	s.accept(p, link{transport: "webrtc"})
}

func (s scenario) connect(p participant, to endpoint) int {
	s.Helper()
	id, err := p.connect(s.ctx, to)
	s.must(err)
	return id
}

// getNewPeer asks via for a peer; who shall be found is known.
func (s scenario) getNewPeer(p participant, via int, candidate participant) int {
	s.Helper()
	id, err := draw(s.ctx, p, via, !p.isGo() && candidate.inNode())
	s.must(err)
	return id
}

const (
	lostDraws = 3               // how many may be lost in a row
	drawTime  = 5 * time.Second // for one that may be lost
)

// draw asks via for a peer. May it be lost, it is repeated: the WebRTC of Node,
// @roamhq/wrtc 0.10.0, now and then (1 in 100) hands the first two messages of a
// data channel that the other side opened to the client in the wrong order. npm
// clients send three at once, and wait for ever when that goes wrong. A Go node
// sends one, so its draws are never lost.
func draw(ctx context.Context, p participant, via int, mayBeLost bool) (int, error) {
	if !mayBeLost {
		return p.getNewPeer(ctx, via)
	}
	for attempt := 1; ; attempt++ {
		short, cancel := context.WithTimeout(ctx, drawTime)
		id, err := p.getNewPeer(short, via)
		cancel()
		if err == nil || attempt == lostDraws || !errors.Is(err, context.DeadlineExceeded) {
			return id, err
		}
	}
}

// echo sends bytes to a peer, and back, and checks that it is the one called want.
func (s scenario) echo(p participant, peer, bytes int, want string) {
	s.Helper()
	from, err := p.request(s.ctx, peer, bytes)
	s.must(err)
	if from != want {
		s.Fatalf("peer %d is %q, want %q", peer, from, want)
	}
}

// await waits for a connection to the node called name and returns its id.
func (s scenario) await(p participant, name string) int {
	s.Helper()
	id := 0
	s.must(p.await(s.ctx, "a connection to "+name, func(peers []peerInfo) bool {
		for _, peer := range peers {
			if peer.connected && peer.name == name {
				id = peer.id
				return true
			}
		}
		return false
	}))
	return id
}

// awaitCount waits until exactly n connections stand.
func (s scenario) awaitCount(p participant, n int) {
	s.Helper()
	s.must(p.await(s.ctx, fmt.Sprintf("%d connections", n), func(peers []peerInfo) bool {
		return countConnected(peers) == n
	}))
}

// noTroubles fails the test if a npm client was told of an error.
func (s scenario) noTroubles(nodes ...participant) {
	s.Helper()
	for _, node := range nodes {
		for _, trouble := range node.troubles() {
			s.Errorf("a client told its application: %s", trouble)
		}
	}
}
