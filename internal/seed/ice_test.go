package seed

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/internal/turn"
)

func TestICEAnswer(t *testing.T) {
	s := startSeed(t, turnConfig(t))
	client, base := s.client(t)
	res, err := client.Get(base + "/ice")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var got map[string]any
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	servers, _ := got["iceServers"].([]any)
	if len(got) != 2 || got["ttl"] != 3600.0 || len(servers) != 2 {
		t.Fatalf("answer is %v", got)
	}
	udp := portOf(s.turn.server.Addrs(turn.TransportUDP)[0])
	tcp := portOf(s.turn.server.Addrs(turn.TransportTCP)[0])
	if want := fmt.Sprint(map[string]any{"urls": []any{"stun:127.0.0.1:" + udp}}); fmt.Sprint(servers[0]) != want {
		t.Errorf("STUN is %v, want %s and no credentials", servers[0], want)
	}
	relays := servers[1].(map[string]any)
	want := fmt.Sprintf("[turn:127.0.0.1:%s?transport=udp turn:127.0.0.1:%s?transport=tcp turns:127.0.0.1:%d?transport=tcp]", udp, tcp, s.secure)
	if fmt.Sprint(relays["urls"]) != want {
		t.Errorf("TURN is %v, want %s", relays["urls"], want)
	}
	username, _ := relays["username"].(string)
	expiry, name, _ := strings.Cut(username, ":")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	if left := time.Until(time.Unix(seconds, 0)); err != nil || name == "" || left <= 0 || left > time.Hour {
		t.Errorf("username %q is good for %v, %v", username, left, err)
	}
	if relays["credential"] != turn.Password(s.turn.secrets.all()[0], username) {
		t.Errorf("credential is %v", relays["credential"])
	}
}

// TestICEFollowsTheRequest asks under the names that clients know the seed by.
func TestICEFollowsTheRequest(t *testing.T) {
	for _, c := range []struct {
		host, forwarded string
		external        []string
		tls             bool     // whether the request came by the port with TLS
		want            []string // hosts and ports of stun, turn, turns
	}{
		{"seed.example.org", "", nil, true, []string{"seed.example.org:UDP", "seed.example.org:TCP", "seed.example.org:443"}},
		{"Seed.Example.org:8443", "", nil, true, []string{"seed.example.org:UDP", "seed.example.org:TCP", "seed.example.org:8443"}},
		{"192.0.2.1:444", "", nil, true, []string{"192.0.2.1:UDP", "192.0.2.1:TCP", "192.0.2.1:444"}},
		{"[2001:db8::1]", "", nil, true, []string{"[2001:db8::1]:UDP", "[2001:db8::1]:TCP", "[2001:db8::1]:443"}},
		{"localhost:8000", "", nil, false, []string{"localhost:UDP", "localhost:TCP", "localhost:TLS"}},
		// A balancer passes TCP on: what has a name is there, and the rest where the seed is.
		{"seed.example.org", "", []string{"203.0.113.7"}, true, []string{"203.0.113.7:UDP", "203.0.113.7:TCP", "seed.example.org:443"}},
		// An HTTP proxy passes no TURN on.
		{"proxy.example.org", "192.0.2.9", nil, false, []string{"127.0.0.1:UDP", "127.0.0.1:TCP", "127.0.0.1:TLS"}},
		{"proxy.example.org", "192.0.2.9", []string{"203.0.113.7"}, false, []string{"203.0.113.7:UDP", "203.0.113.7:TCP", "127.0.0.1:TLS"}},
		// No host that a URL can have.
		{"a b", "", nil, true, []string{"127.0.0.1:UDP", "127.0.0.1:TCP", "127.0.0.1:TLS"}},
		{"a\"b:1", "", nil, true, []string{"127.0.0.1:UDP", "127.0.0.1:TCP", "127.0.0.1:TLS"}},
		{"seed.example.org:0", "", nil, true, []string{"127.0.0.1:UDP", "127.0.0.1:TCP", "127.0.0.1:TLS"}},
	} {
		cfg := turnConfig(t)
		cfg.ExternalIPs = c.external
		s, err := New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		s.ice.fallback = "127.0.0.1"
		r := httptest.NewRequest("GET", "/ice", nil)
		r.Host = c.host
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		r = r.WithContext(withConn(r.Context(), &conn{secure: c.tls}))
		urls := s.ice.urls(reachedBy(r))
		ports := strings.NewReplacer(
			"UDP", portOf(s.turn.server.Addrs(turn.TransportUDP)[0]), "TCP", portOf(s.turn.server.Addrs(turn.TransportTCP)[0]),
			"TLS", strconv.Itoa(s.ports[0].number()))
		var want []string
		for _, hostPort := range c.want {
			want = append(want, ports.Replace(hostPort))
		}
		want = []string{"stun:" + want[0], "turn:" + want[0] + "?transport=udp", "turn:" + want[1] + "?transport=tcp", "turns:" + want[2] + "?transport=tcp"}
		if got := append(urls.stun, urls.relays...); !slices.Equal(got, want) {
			t.Errorf("%s (forwarded for %q, external %v): %v, want %v", c.host, c.forwarded, c.external, got, want)
		}
		s.Close()
	}
}

// TestICEWithoutTLS has no turns: to offer.
func TestICEWithoutTLS(t *testing.T) {
	cfg := turnConfig(t)
	cfg.Listen = ""
	s := startSeed(t, cfg)
	for _, server := range getICE(t, http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d", s.plain)).ICEServers {
		for _, url := range server.URLs {
			if strings.HasPrefix(url, "turns:") {
				t.Errorf("%s is offered", url)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestICERate(t *testing.T) {
	cfg := turnConfig(t)
	cfg.Limits.ICEPerMinute = 4 // of which one at once
	cfg.TrustedProxies = []string{"127.0.0.1"}
	s := startSeed(t, cfg)
	client, base := s.client(t)
	get := func(from string) (status int, retry string) {
		t.Helper()
		r, err := http.NewRequestWithContext(testContext(t), "GET", base+"/ice", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", from)
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode, res.Header.Get("Retry-After")
	}
	for _, c := range []struct {
		from string
		want int
	}{
		{"192.0.2.1", http.StatusOK}, {"192.0.2.1", http.StatusTooManyRequests}, {"192.0.2.2", http.StatusOK},
		{"2001:db8::1", http.StatusOK}, {"2001:db8::2", http.StatusTooManyRequests}, {"2001:db8:0:1::1", http.StatusOK},
	} {
		status, retry := get(c.from)
		if status != c.want {
			t.Errorf("%s gets %d, want %d", c.from, status, c.want)
		}
		if c.want == http.StatusTooManyRequests && retry != "16" {
			t.Errorf("Retry-After is %q", retry)
		}
	}
	got := gather(t, s)
	if got["seed_ice_requests_total answered"] != 4 || got["seed_ice_requests_total refused"] != 2 {
		t.Errorf("counted %v answered, %v refused", got["seed_ice_requests_total answered"], got["seed_ice_requests_total refused"])
	}
}

// TestICENames has a client counted as one, whatever it asks for, and not told by
// its address.
func TestICENames(t *testing.T) {
	h := &iceHandler{salt: [16]byte{1}}
	of := func(client string) string {
		return h.name(clientOf(&http.Request{RemoteAddr: client}))
	}
	if of("192.0.2.1:1") != of("192.0.2.1:2") || of("[2001:db8::1]:1") != of("[2001:db8::2]:1") || of("192.0.2.1:1") != of("[::ffff:192.0.2.1]:1") {
		t.Error("one client has several names")
	}
	if of("192.0.2.1:1") == of("192.0.2.2:1") || of("192.0.2.1:1") == (&iceHandler{}).name(clientOf(&http.Request{RemoteAddr: "192.0.2.1:1"})) {
		t.Error("several clients have one name, or anybody can tell whose it is")
	}
}
