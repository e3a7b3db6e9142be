package check

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
)

// TestNotIntroduced has the candidate be where the seed does not see it.
func TestNotIntroduced(t *testing.T) {
	s, urls, _ := runSeed(t)
	c, err := New(Config{URL: urls["ws"], NetworkID: "net"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if c.nodes.pair, err = c.connectPair(ctx); err != nil {
		t.Fatal(err)
	}
	awaitPeers(t, s, 2) // the seed may take a node for ready later than that does
	c.nodes.pair.candidate.Close()
	awaitPeers(t, s, 1)

	ways, done := c.newWays(webrtc.Config{})
	defer done()
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if _, err = c.nodes.pair.meet(short, ways); !errors.Is(err, errNotIntroduced) {
		t.Errorf("meet: %v", err)
	}
}
