package exchange

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// maintain runs a maintainer for a node until the test ends.
func (n *node) maintain(cfg MaintainerConfig) *Maintainer {
	n.t.Helper()
	m, err := NewMaintainer(n.Exchange, cfg)
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	n.t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) && !errors.Is(err, ErrClosed) {
			n.t.Errorf("Run: %v", err)
		}
	})
	return m
}

func TestMaintainer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		var nodes []*node
		for i := range 4 {
			n := w.node(fmt.Sprintf("10.1.%d.1", i))
			n.accept(transports.WebRTC, 0)
			n.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: 3})
			nodes = append(nodes, n)
		}
		time.Sleep(5 * time.Minute)
		for _, n := range nodes {
			if got := len(n.Peers()); got != 4 {
				t.Errorf("%s has %d peers, want the seed and 3 others", n.host, got)
			}
		}
		// One leaves: nobody is there to replace it. Another one comes and does.
		nodes[3].Close()
		late := w.node("10.2.0.1")
		late.accept(transports.WebRTC, 0)
		late.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: 3})
		time.Sleep(5 * time.Minute)
		for _, n := range append(nodes[:3:3], late) {
			if got := len(n.Peers()); got != 4 {
				t.Errorf("after a change: %s has %d peers", n.host, got)
			}
		}
		// The seed goes away and comes back.
		seed.Close()
		time.Sleep(5 * time.Minute)
		if got := len(late.Peers()); got != 3 {
			t.Errorf("without the seed: %d peers", got)
		}
		again := w.seed("10.0.0.1")
		time.Sleep(5 * time.Minute)
		if got := len(again.Peers()); got != 4 {
			t.Errorf("the new seed has %d peers", got)
		}
	})
}

func TestMaintainerFailsOver(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.seed("10.0.0.2")
		n := w.node("10.0.0.9")
		n.maintain(MaintainerConfig{
			Seeds:           []string{"tcp://10.0.0.1:1000", "tcp://10.0.0.2:1000", "tcp://10.0.0.3:1000"},
			SeedConnections: 1, Peers: -1,
		})
		time.Sleep(time.Minute)
		if got := n.Peers(); len(got) != 1 || got[0].DialedURL() != "tcp://10.0.0.2:1000" {
			t.Errorf("peers %v", got)
		}
	})
}

func TestMaintainerRemembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "addresses.json")
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		friend := w.seed("10.0.0.2")
		friend.connect(seed)
		n := w.node("10.0.0.9")
		n.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Store: FileStore(path)})
		time.Sleep(time.Minute)
		if got := len(n.Peers()); got != 2 {
			t.Fatalf("%d peers", got)
		}
		n.Close()
		seed.Close()
		synctest.Wait()
		again := w.node("10.0.0.9")
		again.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Store: FileStore(path)})
		time.Sleep(time.Minute)
		if got := again.Peers(); len(got) != 1 || got[0].DialedURL() != "tcp://10.0.0.2:1000" {
			t.Errorf("with the seed gone: %v", got)
		}
	})
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := FileStore(path).Load(); err == nil {
		t.Error("a damaged file was loaded")
	}
}

func TestMaintainerRejects(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node("10.0.0.9")
		for name, cfg := range map[string]MaintainerConfig{
			"no seed":        {},
			"a bad address":  {Seeds: []string{"seed.example"}},
			"a broken store": {Store: FileStore(t.TempDir())},
		} {
			if _, err := NewMaintainer(n.Exchange, cfg); err == nil {
				t.Errorf("%s was taken", name)
			}
		}
	})
}

// When an address was tried is forgotten with the address, but not that of a seed.
func TestMaintainerForgetsAttempts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const seed = "tcp://10.0.0.1:1000"
		m, err := NewMaintainer(w.node("10.2.0.1").Exchange, MaintainerConfig{Seeds: []string{seed}})
		if err != nil {
			t.Fatal(err)
		}
		reach := func(address string) {
			if _, ok := m.take([]string{address}); !ok {
				t.Fatalf("%s is not taken", address)
			}
			m.giveBack(address)
			m.remember(address)
		}
		reach(seed)
		for i := range 3 * maxAddresses {
			reach(fmt.Sprintf("tcp://10.1.%d.1:1000", i))
		}
		if got := len(m.book.attempts); got != 1+maxAddresses {
			t.Errorf("%d attempts are remembered, want those of %d addresses and the seed's", got, maxAddresses)
		}
		if m.book.lastTried(seed).IsZero() {
			t.Error("when the seed was tried is forgotten")
		}
	})
}
