//go:build interop

package interop

import (
	"fmt"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
)

// TestTabsThroughTURN has two pages that may use nothing but a seed's TURN server
// exchange data, for each way to it that the seed's /ice tells.
func TestTabsThroughTURN(t *testing.T) {
	seed := authority.Start(t, t.Name(), "--turn-listen", "127.0.0.1:0", "--turn-relay-ip", "127.0.0.1")
	origin := fmt.Sprintf("https://%s:%d", seed.Secure.Host, seed.Secure.Port)
	for _, way := range []struct{ scheme, transport, protocol string }{
		{"turn", "udp", "udp"}, {"turn", "tcp", "tcp"}, {"turns", "tcp", "tls"},
	} {
		t.Run(way.protocol, func(t *testing.T) {
			ctx := clients.Context(t)
			asker, answerer := lab.OpenRelayPage(t), lab.OpenRelayPage(t)
			for _, page := range []*clients.Page{asker, answerer} {
				if url := page.Call(ctx, "open", origin, way.scheme, way.transport); strings.Count(url, way.scheme+":") != 1 {
					t.Fatalf("the seed's servers by %s are %q, want one", way.protocol, url)
				}
			}
			offer := asker.Call(ctx, "offer")
			answer := answerer.Call(ctx, "answer", offer)
			for _, sdp := range []string{offer, answer} {
				if n := strings.Count(sdp, " typ "); n == 0 || n != strings.Count(sdp, " typ relay ") {
					t.Fatalf("candidates are not relayed ones and no others:\n%s", sdp)
				}
			}
			asker.Call(ctx, "accept", answer)
			if back := asker.Call(ctx, "echo", clients.Payload/4); back != fmt.Sprint(clients.Payload/4) {
				t.Errorf("%s bytes came back, want %d", back, clients.Payload/4)
			}
			for _, page := range []*clients.Page{asker, answerer} {
				if path := page.Call(ctx, "path"); path != "relay "+way.protocol {
					t.Errorf("the way is %q, want a relay by %s", path, way.protocol)
				}
			}
		})
	}
}
