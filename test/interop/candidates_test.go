//go:build interop

package interop

import (
	"errors"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/test/clients"
)

// wantNoCandidates checks what a node is told that asks for a peer when there is none.
func wantNoCandidates(t *testing.T, gen clients.Generation, asker clients.Node, err error) {
	t.Helper()
	if asker.IsGo() {
		if !errors.Is(err, exchange.ErrNoCandidates) {
			t.Errorf("getNewPeer with nobody to offer: %v, want %v", err, exchange.ErrNoCandidates)
		}
		return
	}
	want := map[clients.Generation]string{
		clients.V0: "Peer does not have any peers to exchange",
		clients.V1: "Peer did not return any candidates",
	}[gen]
	var js *clients.JSError
	if !errors.As(err, &js) || js.Message != want {
		t.Errorf("getNewPeer with nobody to offer: %v, want %q", err, want)
	}
}
