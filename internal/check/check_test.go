package check

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/internal/seed"
)

// TestEverythingWorks checks a seed by each of its URLs.
func TestEverythingWorks(t *testing.T) {
	urls, ca := startSeed(t)
	moot := map[string][]string{"wss": nil, "ws": {"tls"}, "tls": {"websocket"}, "tcp": {"tls", "websocket"}}
	for scheme, url := range urls {
		t.Run(scheme, func(t *testing.T) {
			var told []Step
			report := run(t, Config{URL: url, CAFile: ca, OnStep: func(s Step) { told = append(told, s) }})
			for _, s := range report.Steps {
				expect := OK
				if slices.Contains(moot[scheme], s.Name) {
					expect = NotTried
				}
				want(t, report, s.Name, expect)
			}
			if !report.OK || report.URL != url || report.Network != "net" || report.Agent != "peerexchange-seed/test" {
				t.Errorf("report: %+v", report)
			}
			if !slices.Equal(told, report.Steps) {
				t.Errorf("told %v of %v", told, report.Steps)
			}
			want(t, report, "introduction", OK, "through the seed")
			want(t, report, "relay-tls", OK, "introduced by the seed")
		})
	}
}

// TestNobodyElseIsDisturbed has a node of the network be there that would be led
// to: neither it nor the seed hears of the check.
func TestNobodyElseIsDisturbed(t *testing.T) {
	s, urls, ca := runSeed(t)
	bystander := startBystander(t, urls["ws"])
	awaitPeers(t, s, 1) // the bystander knows a moment before the seed does
	report := run(t, Config{URL: urls["wss"], CAFile: ca})
	if !report.OK {
		t.Errorf("report: %+v", report)
	}
	want(t, report, "getpeer", OK, "not dialed")
	if n := bystander.heard.Load(); n != 0 {
		t.Errorf("the bystander was asked %d times to be led to", n)
	}
}

// TestJSON fixes what programs read.
func TestJSON(t *testing.T) {
	urls, ca := startSeed(t)
	report := run(t, Config{URL: urls["wss"], CAFile: ca, Skip: []string{"turn", "webrtc"}})
	for i := range report.Steps {
		s := &report.Steps[i]
		if (s.Duration > 0) != (s.Result != NotTried) {
			t.Errorf("%s took %v", s.Name, s.Duration)
		}
		s.Duration, s.Detail = 0, "…"
	}
	report.URL = "wss://…"
	report.Steps[2].Duration, report.Steps[2].Hint = 1234567, "…"
	got, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden := `{
 "url": "wss://…",
 "network": "net",
 "agent": "peerexchange-seed/test",
 "ok": true,
 "steps": [
`
	for i, s := range Steps() {
		result := OK
		if strings.HasPrefix(s.Name, "turn-") || strings.HasPrefix(s.Name, "relay-") || s.Name == "webrtc" {
			result = NotTried
		}
		more, hint, end := "0", "", ","
		if i == 2 {
			more, hint = "1.23", ",\n   \"hint\": \"…\""
		}
		if i == len(Steps())-1 {
			end = ""
		}
		golden += "  {\n   \"name\": \"" + s.Name + "\",\n   \"result\": \"" + string(result) + "\",\n   \"milliseconds\": " + more +
			",\n   \"detail\": \"…\"" + hint + "\n  }" + end + "\n"
	}
	golden += " ]\n}"
	if string(got) != golden {
		t.Errorf("JSON is\n%s\nwant\n%s", got, golden)
	}
}

func TestSkip(t *testing.T) {
	urls, _ := startSeed(t, func(c *seed.Config) { c.TURNListen, c.WebRTCListen = nil, "" })
	report := run(t, Config{URL: urls["ws"], Skip: []string{"ice", "introduction"}})
	if !report.OK {
		t.Errorf("report: %+v", report)
	}
	want(t, report, "introduction", NotTried, "left out")
	want(t, report, "webrtc", NotTried, "--webrtc-listen")
	want(t, report, "ice", NotTried, "left out")
	for _, name := range []string{"stun", "turn-udp", "turn-ports", "relay-tls"} {
		want(t, report, name, NotTried, "needs ice, which was not tried")
	}
}

func TestInterrupted(t *testing.T) {
	c, err := New(Config{URL: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report := c.Run(ctx)
	if report.OK || report.Count(NotTried) != len(Steps()) {
		t.Errorf("report: %+v", report)
	}
}

func TestTargets(t *testing.T) {
	for text, want := range map[string]string{
		"seed.example":           "wss://seed.example:443",
		"seed.example:8443":      "wss://seed.example:8443",
		"https://seed.example/":  "wss://seed.example:443",
		"http://seed.example":    "ws://seed.example:80",
		"WSS://seed.example:1":   "wss://seed.example:1",
		"ws://127.0.0.1":         "ws://127.0.0.1:80",
		"tls://[2001:db8::1]:99": "tls://[2001:db8::1]:99",
		"tcp://seed.example:99":  "tcp://seed.example:99",
		"[2001:db8::1]":          "wss://[2001:db8::1]:443",
	} {
		if got, err := parseTarget(text); err != nil || got.url() != want {
			t.Errorf("%q is %v, %v; want %s", text, got, err, want)
		}
	}
	for text, say := range map[string]string{
		"":                       "no host",
		"ftp://seed.example":     "wss://",
		"tcp://seed.example":     "port",
		"seed.example:99999":     "65535",
		"seed.example:port":      "port",
		"wss://seed.example/net": "path",
		"wss://":                 "no host",
		"wss://a b":              "a b",
	} {
		if got, err := parseTarget(text); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q is %v, %v; want an error about %q", text, got, err, say)
		}
	}
}

func TestBadConfig(t *testing.T) {
	for _, c := range []struct {
		config Config
		say    string
	}{
		{Config{URL: "seed.example", Skip: []string{"tur"}}, "turn-udp"},
		{Config{URL: "seed.example", CAFile: "/dev/null"}, "PEM"},
		{Config{URL: "seed.example", CAFile: "/nowhere"}, "--ca"},
		{Config{URL: "seed.example", Timeout: -1}, "--timeout"},
	} {
		if _, err := New(c.config); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%+v: %v, want %q", c.config, err, c.say)
		}
	}
}

// TestOneAddressOfSeveral is closed, which clients may come by first.
func TestOneAddressOfSeveral(t *testing.T) {
	addr := serve(t, func(net.Conn) {})
	c, err := New(Config{URL: addr})
	if err != nil {
		t.Fatal(err)
	}
	c.addrs = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.3")}
	s := c.tcp(t.Context())
	if s.Result != Warning || !strings.Contains(s.Detail, addr+"; not 127.0.0.3:") || s.Hint == "" {
		t.Errorf("step: %+v", s)
	}
}
