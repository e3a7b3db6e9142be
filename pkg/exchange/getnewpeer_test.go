package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// getNewPeerFrom has a node ask the only peer that it has, which gives the same answer
// each time. It returns how often it was asked, and what came of it.
func (w *world) getNewPeerFrom(asked *raw, asking *node, answer string) (times int, err error) {
	w.t.Helper()
	result := make(chan error, 1)
	go func() {
		_, err := asking.GetNewPeer(ctx)
		result <- err
	}()
	for {
		synctest.Wait()
		select {
		case err := <-result:
			return times, err
		default:
		}
		for _, line := range asked.take() {
			var m struct{ Command, ReqID string }
			if err := json.Unmarshal(line, &m); err != nil || m.Command != "getPeer" {
				w.t.Fatalf("got %s", line)
			}
			times++
			if answer == "" {
				asked.write(data(0, string(wire.AppendNoPeer(nil, m.ReqID))))
			} else {
				asked.line(answer, m.ReqID)
			}
		}
	}
}

// A peer that has nobody is asked once. One that offers who is connected, or the
// asking node itself, may have others, but in the end it had nobody new.
func TestGetNewPeerOfOnePeer(t *testing.T) {
	const offer = `{"command":"%%s","transport":"tcp","opts":{"port":1000},"address":"%s","nonce":"n"}`
	for name, test := range map[string]struct {
		answer string
		times  int
	}{
		"nobody": {"", 1},
		"itself": {fmt.Sprintf(offer, "10.0.0.1"), 3},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				asking := w.seed("10.0.0.1")
				asked := w.dialRaw("10.0.0.2", asking).shakeV0("")
				times, err := w.getNewPeerFrom(asked, asking, test.answer)
				if !errors.Is(err, ErrNoCandidates) || isDuplicate(err) {
					t.Errorf("GetNewPeer: %v, want %v", err, ErrNoCandidates)
				}
				if times != test.times {
					t.Errorf("the peer was asked %d times, want %d", times, test.times)
				}
			})
		})
	}
}

// Whoever waits for a peer learns that the node was closed.
func TestGetNewPeerOfClosedNode(t *testing.T) {
	for name, get := range map[string]func(*node) error{
		"of any": func(n *node) error { _, err := n.GetNewPeer(ctx); return err },
		"of one": func(n *node) error { _, err := n.Peers()[0].GetNewPeer(ctx); return err },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				n := w.seed("10.0.0.1")
				w.dialRaw("10.0.0.2", n).shakeV0("")
				result := make(chan error, 1)
				go func() { result <- get(n) }()
				synctest.Wait()
				n.Close()
				if err := <-result; !errors.Is(err, ErrClosed) {
					t.Errorf("GetNewPeer: %v, want %v", err, ErrClosed)
				}
			})
		})
	}
}
