//go:build interop

package interop

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSeveralSeeds runs two seeds as people do. Unmodified npm nodes of each
// generation, in Node and in Chromium, and Go nodes find those at the other seed,
// in both directions of the link between the two, and talk over WebRTC.
func TestSeveralSeeds(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "mesh.secret")
	if err := os.WriteFile(secret, []byte("what only these two seeds know\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, gen := range generations {
		t.Run(string(gen), func(t *testing.T) {
			t.Parallel()
			first := startSeedCommand(t, "--turn-listen", "off", "--mesh-secret-file", secret)
			second := startSeedCommand(t, "--turn-listen", "off", "--mesh-secret-file", secret,
				"--mesh-peers", fmt.Sprintf("tls://127.0.0.1:%d", first.secure.port))
			for i, who := range []struct{ asks, isFound maker }{{inNode, inNode}, {inTab, inNode}, {inNode, inTab}, {inNode, inGo}, {inGo, inNode}} {
				s := newScenario(t)
				from, to := first, second
				if i%2 == 1 {
					from, to = second, first
				}
				name := fmt.Sprintf("%s-for-%s-%d", who.isFound.label, who.asks.label, i)
				candidate, asker := who.isFound.start(t, gen, name), who.asks.start(t, gen, "asker of "+name)
				s.acceptWebRTC(candidate)
				toSeed := s.connect(candidate, to.plain.over("websocket"))
				via := s.connect(asker, from.plain.over("websocket"))
				s.echo(asker, s.findElsewhere(asker, via), payload/16, name)
				// The next two are alone again.
				s.must(candidate.disconnect(s.ctx, toSeed))
				s.must(asker.disconnect(s.ctx, via))
			}
		})
	}
}

// findElsewhere asks a seed for a peer until there is one: those at another seed
// are known after a moment only. A draw may be lost, see draw.
func (s scenario) findElsewhere(p participant, via int) int {
	s.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		short, cancel := context.WithTimeout(s.ctx, drawTime)
		id, err := p.getNewPeer(short, via)
		cancel()
		if err == nil {
			return id
		}
		select {
		case <-again.C:
		case <-s.ctx.Done():
			s.Fatalf("nobody is found at the other seed: %v", err)
		}
	}
}
