//go:build interop

package interop

import (
	"errors"
	"slices"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// maker starts a participant for the test.
type maker struct {
	label string
	start func(t *testing.T, gen generation, name string) participant
}

// The makers of the tables.
var (
	inGo = maker{"go", func(t *testing.T, gen generation, name string) participant {
		return startGo(t, gen, name)
	}}
	inNode = maker{"js", func(t *testing.T, gen generation, name string) participant {
		return startNode(t, gen, name, nil)
	}}
	// inTab is a page, which can dial websockets only and accept webrtc only.
	inTab = maker{"tab", func(t *testing.T, gen generation, name string) participant {
		return startTab(t, gen, name, nil)
	}}
)

// both are the kinds of which tables try every combination.
var both = []maker{inGo, inNode}

// anyGo tells whether a combination has something of this module in it.
func anyGo(roles ...maker) bool {
	return slices.ContainsFunc(roles, func(m maker) bool { return m.label == inGo.label })
}

// link is how two nodes connect before anybody introduces them.
type link struct {
	transport string
	secure    bool
}

func (l link) String() string {
	return map[link]string{
		{"tcp", false}: "tcp", {"tcp", true}: "tls",
		{"websocket", false}: "ws", {"websocket", true}: "wss",
	}[l]
}

// wantNoCandidates checks what a node is told that asks for a peer when there is none.
func wantNoCandidates(t *testing.T, gen generation, asker participant, err error) {
	t.Helper()
	if asker.isGo() {
		if !errors.Is(err, exchange.ErrNoCandidates) {
			t.Errorf("getNewPeer with nobody to offer: %v, want %v", err, exchange.ErrNoCandidates)
		}
		return
	}
	want := map[generation]string{
		v0: "Peer does not have any peers to exchange",
		v1: "Peer did not return any candidates",
	}[gen]
	var js *jsError
	if !errors.As(err, &js) || js.message != want {
		t.Errorf("getNewPeer with nobody to offer: %v, want %q", err, want)
	}
}
