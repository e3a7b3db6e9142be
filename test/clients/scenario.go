package clients

import (
	"context"
	"fmt"
	"testing"
)

// Payload is what scenarios send each way over a connection they care about.
const Payload = 1 << 20

// Scenario is one test's steps on its nodes: the first that fails ends
// the test and says which it was.
type Scenario struct {
	*testing.T
	Ctx context.Context // of the whole test
}

// NewScenario begins a test.
func NewScenario(t *testing.T) Scenario {
	return Scenario{t, Context(t)}
}

// Must ends the test at an error.
func (s Scenario) Must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// Accept makes p accept and says where.
func (s Scenario) Accept(p Node, l Link) Endpoint {
	s.Helper()
	at, err := p.Accept(s.Ctx, l.Transport, l.Secure)
	s.Must(err)
	return at
}

// AcceptWebRTC makes p accept those who are introduced to it.
func (s Scenario) AcceptWebRTC(p Node) {
	s.Helper()
	s.Accept(p, Link{Transport: "webrtc"})
}

// Connect connects p to an address and returns the id of the peer.
func (s Scenario) Connect(p Node, to Endpoint) int {
	s.Helper()
	id, err := p.Connect(s.Ctx, to)
	s.Must(err)
	return id
}

// GetNewPeer asks via for a peer; who shall be found is known.
func (s Scenario) GetNewPeer(p Node, via int, candidate Node) int {
	s.Helper()
	id, err := Draw(s.Ctx, p, via, !p.IsGo() && candidate.InNode())
	s.Must(err)
	return id
}

// Echo sends bytes to a peer, and back, and checks that it is the one called want.
func (s Scenario) Echo(p Node, peer, bytes int, want string) {
	s.Helper()
	from, err := p.Request(s.Ctx, peer, bytes)
	s.Must(err)
	if from != want {
		s.Fatalf("peer %d is %q, want %q", peer, from, want)
	}
}

// EchoTo is Echo with the node called name, over whichever connection there is to it. A
// connection that has ended is no failure while there is another, see [MayEnd].
func (s Scenario) EchoTo(p Node, name string, bytes int) {
	s.Helper()
	for {
		id := s.Await(p, name)
		from, err := p.Request(s.Ctx, id, bytes)
		if err != nil && MayEnd(s.Ctx, p, id) {
			continue
		}
		s.Must(err)
		if from != name {
			s.Fatalf("peer %d is %q, want %q", id, from, name)
		}
		return
	}
}

// Await waits for a connection to the node called name and returns its id.
func (s Scenario) Await(p Node, name string) int {
	s.Helper()
	id := 0
	s.Must(p.Await(s.Ctx, "a connection to "+name, func(peers []PeerInfo) bool {
		for _, peer := range peers {
			if peer.Connected && peer.Name == name {
				id = peer.ID
				return true
			}
		}
		return false
	}))
	return id
}

// AwaitCount waits until exactly n connections stand.
func (s Scenario) AwaitCount(p Node, n int) {
	s.Helper()
	s.Must(p.Await(s.Ctx, fmt.Sprintf("%d connections", n), func(peers []PeerInfo) bool {
		return CountConnected(peers) == n
	}))
}

// NoTroubles fails the test if a npm client was told of an error.
func (s Scenario) NoTroubles(nodes ...Node) {
	s.Helper()
	for _, node := range nodes {
		for _, trouble := range node.Troubles() {
			s.Errorf("a client told its application: %s", trouble)
		}
	}
}
