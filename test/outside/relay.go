package outside

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/test/clients"
)

// turnWays are the ways to a TURN server: the published TURN port, and the one with TLS.
var turnWays = []struct{ scheme, transport, protocol string }{
	{"turn", "udp", "udp"}, {"turn", "tcp", "tcp"}, {"turns", "tcp", "tls"},
}

// Relay has two clients that may use nothing but TURN exchange data, by each way to the
// servers that the seeds tell, at one seed and at different ones.
func Relay(t *testing.T, n Network) {
	for _, seeds := range [][2]int{{0, 0}, {0, 1}} {
		name := "one-seed"
		if seeds[0] != seeds[1] {
			name = "two-seeds"
		}
		t.Run(name, func(t *testing.T) {
			for _, way := range turnWays {
				t.Run("tabs/"+way.protocol, func(t *testing.T) {
					t.Parallel()
					relayTabs(t, n, seeds, way.scheme, way.transport, way.protocol)
				})
				t.Run("go/"+way.protocol, func(t *testing.T) {
					t.Parallel()
					relayGo(t, n, seeds, func(cfg *clients.GoConfig, seed int) {
						cfg.WebRTC.ICEServers = n.iceServers(t, seed, way.scheme, way.transport)
						// A node that has servers to hand out takes none from others.
						cfg.Config.ICEServers = func(*exchange.Peer) ([]transports.ICEServer, time.Duration) { return nil, 0 }
					})
				})
			}
			t.Run("go/control", func(t *testing.T) {
				t.Parallel()
				relayGo(t, n, seeds, func(*clients.GoConfig, int) {})
			})
		})
	}
}

// iceServers are those of a seed's /ice, by one way.
func (n Network) iceServers(t *testing.T, seed int, scheme, transport string) []transports.ICEServer {
	t.Helper()
	var answer struct {
		ICEServers []transports.ICEServer `json:"iceServers"`
	}
	n.get(t, seed, "/ice", &answer)
	var servers []transports.ICEServer
	for _, s := range answer.ICEServers {
		s.URLs = slices.DeleteFunc(s.URLs, func(url string) bool {
			return !strings.HasPrefix(url, scheme+":") || !strings.HasSuffix(url, "?transport="+transport)
		})
		if len(s.URLs) > 0 {
			servers = append(servers, s)
		}
	}
	if len(servers) == 0 {
		t.Fatalf("seed %d has no %s: by %s: %+v", seed, scheme, transport, answer)
	}
	return servers
}

// get asks a seed's HTTP API.
func (n Network) get(t *testing.T, seed int, path string, answer any) {
	t.Helper()
	client := n.httpClient(t)
	res, err := client.Get(n.origin(t, seed) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %s", path, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

// httpClient trusts the network. It ends with the test.
func (n Network) httpClient(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: n.trust()}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func (n Network) trust() *tls.Config { return n.Lab.ClientTLS() }

func relayGo(t *testing.T, n Network, seeds [2]int, change func(cfg *clients.GoConfig, seed int)) {
	s := clients.NewScenario(t)
	names := [2]string{"asker of " + t.Name(), "candidate of " + t.Name()}
	var nodes [2]*clients.GoNode
	var via [2]int
	for i := range nodes {
		nodes[i] = n.Lab.StartGo(t, clients.V0, names[i], func(cfg *clients.GoConfig) {
			cfg.WebRTC.RelayOnly = true
			change(cfg, seeds[i])
		})
	}
	s.AcceptWebRTC(nodes[1])
	for i := range nodes {
		via[i] = s.Connect(nodes[i], n.endpoint(t, seeds[i], "wss"))
	}
	s.Must(findAll(s.Ctx, nodes[0], via[0], names[0], names[:]))
	for i, node := range nodes {
		other := names[1-i]
		id := s.Await(node, other)
		s.Echo(node, id, clients.Payload/4, other)
		p, err := node.Peer(id)
		s.Must(err)
		if p.Path() != exchange.PathTURN {
			t.Errorf("%s reaches the other by %v, want TURN", names[i], p.Path())
		}
	}
}

func relayTabs(t *testing.T, n Network, seeds [2]int, scheme, transport, protocol string) {
	ctx := clients.Context(t)
	pages := [2]*clients.Page{n.Lab.OpenRelayPage(t), n.Lab.OpenRelayPage(t)}
	for i, page := range pages {
		if url := page.Call(ctx, "open", n.origin(t, seeds[i]), scheme, transport); strings.Count(url, scheme+":") != 1 {
			t.Fatalf("the seed's servers by %s are %q, want one", protocol, url)
		}
	}
	offer := pages[0].Call(ctx, "offer")
	answer := pages[1].Call(ctx, "answer", offer)
	for _, sdp := range []string{offer, answer} {
		if n := strings.Count(sdp, " typ "); n == 0 || n != strings.Count(sdp, " typ relay ") {
			t.Fatalf("candidates are not relayed ones and no others:\n%s", sdp)
		}
	}
	pages[0].Call(ctx, "accept", answer)
	if back := pages[0].Call(ctx, "echo", clients.Payload/4); back != fmt.Sprint(clients.Payload/4) {
		t.Errorf("%s bytes came back, want %d", back, clients.Payload/4)
	}
	for _, page := range pages {
		if path := page.Call(ctx, "path"); path != "relay "+protocol {
			t.Errorf("the way is %q, want a relay by %s", path, protocol)
		}
	}
}
