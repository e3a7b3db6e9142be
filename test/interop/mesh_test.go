//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
)

// TestSeveralSeeds runs two seeds as people do. Unmodified npm nodes of each
// generation, in Node and in Chromium, and Go nodes find those at the other seed,
// in both directions of the link between the two, and talk over WebRTC.
func TestSeveralSeeds(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "mesh.secret")
	if err := os.WriteFile(secret, []byte("what only these two seeds know\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, gen := range clients.Generations {
		t.Run(string(gen), func(t *testing.T) {
			t.Parallel()
			first := authority.Start(t, t.Name(), "--turn-listen", "off", "--mesh-secret-file", secret)
			second := authority.Start(t, t.Name(), "--turn-listen", "off", "--mesh-secret-file", secret,
				"--mesh-peers", fmt.Sprintf("tls://127.0.0.1:%d", first.Secure.Port))
			for i, who := range []struct{ asks, isFound clients.Maker }{{inNode, inNode}, {inTab, inNode}, {inNode, inTab}, {inNode, inGo}, {inGo, inNode}} {
				s := clients.NewScenario(t)
				from, to := first, second
				if i%2 == 1 {
					from, to = second, first
				}
				name := fmt.Sprintf("%s-for-%s-%d", who.isFound.Label, who.asks.Label, i)
				candidate, asker := who.isFound.Start(t, gen, name), who.asks.Start(t, gen, "asker of "+name)
				s.AcceptWebRTC(candidate)
				toSeed := s.Connect(candidate, to.Plain.Over("websocket"))
				via := s.Connect(asker, from.Plain.Over("websocket"))
				s.Echo(asker, s.FindElsewhere(asker, via), clients.Payload/16, name)
				// The next two are alone again.
				s.Must(candidate.Disconnect(s.Ctx, toSeed))
				s.Must(asker.Disconnect(s.Ctx, via))
			}
		})
	}
}
