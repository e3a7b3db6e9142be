package websocket

import (
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

func TestDialURL(t *testing.T) {
	for _, test := range []struct {
		host string
		opts transport.Options
		want string
	}{
		{"seed.example", transport.Options{}, "ws://seed.example:80/"},
		{"seed.example", transport.Options{Secure: true}, "wss://seed.example:443/"},
		{"203.0.113.7", transport.Options{Port: 8000}, "ws://203.0.113.7:8000/"},
		{"2001:db8::7", transport.Options{Port: 8443, Secure: true}, "wss://[2001:db8::7]:8443/"},
		{"fe80::7%eth0", transport.Options{Port: 8000}, "ws://[fe80::7%25eth0]:8000/"},
	} {
		if got := dialURL(test.host, test.opts); got != test.want {
			t.Errorf("dialURL(%q, %+v) = %s, want %s", test.host, test.opts, got, test.want)
		}
	}
}
