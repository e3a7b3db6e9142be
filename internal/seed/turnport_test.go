package seed

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/internal/turn"
)

// TestTURNPortBehindAProxy has STUN tell clients that come through a proxy where
// they are, on the TURN server's own TCP port as on the others.
func TestTURNPortBehindAProxy(t *testing.T) {
	cfg := turnConfig(t)
	cfg.TrustedProxies = []string{"127.0.0.1"}
	cfg.Limits.TURNAllocationsPerClient = 1
	s := startSeed(t, cfg)
	username, credential, _ := s.turn.server.Credentials("test")
	own := s.turn.tcp()[0].(*net.TCPAddr).Port
	for i, port := range []int{own, s.plain} {
		for name, header := range map[string]struct{ text, want string }{
			"v1":   {v1Header("203.0.113.9"), "203.0.113.9"},
			"v2":   {v2(v2Proxy, v2TCP4, v2Addrs4...), "192.0.2.1"},
			"none": {"", "127.0.0.1"},
		} {
			url := fmt.Sprintf("turn:127.0.0.1:%d?transport=tcp", forward(t, port, header.text))
			mapped, err := s.dialTURN(t, url, username, credential).SendBindingRequest()
			if err != nil || !strings.HasPrefix(mapped.String(), header.want+":") {
				t.Errorf("%s on port %d: the client is at %v, %v; want %s", name, i, mapped, err, header.want)
			}
		}
	}
	// What clients may have goes by it too.
	for _, client := range []struct {
		address string
		ok      bool
	}{{"203.0.113.1", true}, {"203.0.113.1", false}, {"203.0.113.2", true}} {
		url := fmt.Sprintf("turn:127.0.0.1:%d?transport=tcp", forward(t, own, v1Header(client.address)))
		relay, err := s.dialTURN(t, url, username, credential).Allocate()
		if (err == nil) != client.ok {
			t.Errorf("allocation of %s: %v", client.address, err)
		}
		if err == nil {
			defer relay.Close()
		}
	}
}

// TestTURNPortTakesNothingElse closes connections that speak something else on the
// TURN server's own TCP port, and believes no stranger's header.
func TestTURNPortTakesNothingElse(t *testing.T) {
	s := startSeed(t, turnConfig(t))
	for _, text := range []string{"GET / HTTP/1.1\r\nHost: seed\r\n\r\n", "\x00\x03pxp", v1Header("203.0.113.9"), "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"} {
		c, err := net.Dial("tcp", s.turn.server.Addrs(turn.TransportTCP)[0].String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Error(err)
		}
		if answer, _ := io.ReadAll(c); len(answer) > 0 {
			t.Errorf("%q is answered with %q", text, answer)
		}
		c.Close()
	}
	s.eventually(t, "seed_refusals_total "+refusedProxyHeader, 1)
	s.eventually(t, "seed_pending_connections", 0)
}
