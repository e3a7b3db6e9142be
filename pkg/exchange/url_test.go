package exchange

import (
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

func TestURL(t *testing.T) {
	for address, want := range map[string]target{
		"ws://127.0.0.1:8000":   {transports.WebSocket, "127.0.0.1", 8000, false, ""},
		"wss://seed.example":    {transports.WebSocket, "seed.example", 443, true, ""},
		"WSS://seed.example/":   {transports.WebSocket, "seed.example", 443, true, ""},
		"tcp://[2001:db8::1]:7": {transports.TCP, "2001:db8::1", 7, false, ""},
		"tls://seed.example:7":  {transports.TCP, "seed.example", 7, true, ""},
	} {
		got, err := parseURL(address)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", address, got, err)
			continue
		}
		again, err := parseURL(formatURL(got.transport, got.host, transports.Options{Port: got.port, Secure: got.secure}))
		if err != nil || again != want {
			t.Errorf("%s formatted and parsed again: %+v, %v", address, again, err)
		}
	}
	for _, bad := range []string{"", "seed.example", "http://seed.example", "ws://", "ws://:80", "ws://h:0", "ws://h:99999", "tcp://h", "ws://h/path", "ws://h?x", "ws://u@h", "ws://h?token=", "ws://h?token=a&token=b", "ws://h?token=a&x=b", "ws://h?token=%zz", "ws://h/path?token=a", "ws://h:x", "%"} {
		if got, err := parseURL(bad); err == nil {
			t.Errorf("%q was taken as %+v", bad, got)
		}
	}
	for address, token := range map[string]string{
		"wss://seed.example?token=secret":         "secret",
		"ws://127.0.0.1:8000/?token=a%2Bb%3D%3D":  "a+b==",
		"tls://seed.example:7?token=eyJ.eyJ.c_-A": "eyJ.eyJ.c_-A",
	} {
		if got, err := parseURL(address); err != nil || got.token != token {
			t.Errorf("%s: token %q, %v", address, got.token, err)
		}
	}
	for _, bad := range []string{"http://h?token=secret", "ws://h:x?token=secret", "ws://h:0?token=secret", "ws://h?token=secret%zz", "ws://h?token=secret&more", "%?token=secret"} {
		if _, err := parseURL(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error is %v, want one without the token", err)
		}
	}
	if got := formatURL("carrier-pigeon", "h", transports.Options{}); got != "" {
		t.Errorf("a transport without scheme has the address %q", got)
	}
}
