package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

const (
	lostDraws = 3                // how many may be lost in a row
	drawTime  = 10 * time.Second // for one that may be lost
)

// Draw asks via for a peer. May it be lost, it is repeated: the WebRTC of Node,
// @roamhq/wrtc 0.10.0, now and then (1 in 100, and more on a busy machine) hands
// messages of a data channel that the other side opened to the client before the
// first (node/firstmessage.js). npm clients send several at once, and wait for ever
// when that goes wrong. A Go node sends one, so its draws are never lost.
func Draw(ctx context.Context, p Node, via int, mayBeLost bool) (int, error) {
	if !mayBeLost {
		return p.GetNewPeer(ctx, via)
	}
	for attempt := 1; ; attempt++ {
		short, cancel := context.WithTimeout(ctx, drawTime)
		id, err := p.GetNewPeer(short, via)
		cancel()
		if err == nil || attempt == lostDraws || !errors.Is(err, context.DeadlineExceeded) {
			return id, err
		}
	}
}

// maxDraws is how often a node asks for a peer at most. The published clients
// get, or choose, a random one each time: that one of three others is not among
// 60 has odds of 1 to 10^10.
const maxDraws = 60

// FindAll asks for peers until the node is connected to all of names but itself,
// whoever of the two asked.
func FindAll(ctx context.Context, p Node, via int, self string, names []string) error {
	var missing []string
	for range maxDraws {
		missing = MissingOf(p.Peers(), self, names)
		if len(missing) == 0 {
			return nil
		}
		id, err := Draw(ctx, p, via, !p.IsGo())
		if errors.Is(err, exchange.ErrNoCandidates) {
			// A Go node is offered nobody whom it is connected to, and those tell their
			// names a moment later.
			err = awaitOneOf(ctx, p, self, missing)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		if _, err := p.Request(ctx, id, 1000); err != nil && !MayEnd(ctx, p, id) {
			return err
		}
	}
	return fmt.Errorf("%s did not find %v in %d draws", self, missing, maxDraws)
}

// MissingOf are those of the names, but a node's own, that no connection is to.
func MissingOf(peers []PeerInfo, self string, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return name == self || slices.ContainsFunc(peers, func(peer PeerInfo) bool { return peer.Connected && peer.Name == name })
	})
}

// nameTime is what a peer has to tell its name.
const nameTime = 10 * time.Second

// awaitOneOf waits for a connection to one of those named.
func awaitOneOf(ctx context.Context, p Node, self string, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, nameTime)
	defer cancel()
	return p.Await(ctx, fmt.Sprintf("a connection to one of %v, since nobody else is offered", names), func(peers []PeerInfo) bool {
		return len(MissingOf(peers, self, names)) < len(names)
	})
}

// endTime is what a node has to hear that a connection has ended.
const endTime = 10 * time.Second

// MayEnd tells whether a connection that failed has ended as one may: two Go nodes that
// look for each other at the same time have two connections for a while, of which they
// close one. A node may hear of the end a moment later.
func MayEnd(ctx context.Context, p Node, id int) bool {
	if !p.IsGo() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	return p.Await(ctx, "the connection to end", func(peers []PeerInfo) bool {
		return !slices.ContainsFunc(peers, func(peer PeerInfo) bool { return peer.ID == id && peer.Connected })
	}) == nil
}

// FindElsewhere asks a seed for a peer until there is one: those at another seed
// are known after a moment only. A draw may be lost, see Draw.
func (s Scenario) FindElsewhere(p Node, via int) int {
	s.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		short, cancel := context.WithTimeout(s.Ctx, drawTime)
		id, err := p.GetNewPeer(short, via)
		cancel()
		if err == nil {
			return id
		}
		select {
		case <-again.C:
		case <-s.Ctx.Done():
			s.Fatalf("nobody is found at the other seed: %v", err)
		}
	}
}
