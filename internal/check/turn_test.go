package check

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun"
	"github.com/pion/turn/v2"
)

// onlyICE is a server that answers nothing but /ice.
func onlyICE(t *testing.T, urls ...string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"ttl": 60, "iceServers": []any{
		map[string]any{"urls": urls, "username": "user", "credential": "secret"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ice" {
			http.NotFound(w, r)
			return
		}
		w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// startTURN runs a TURN server whose sockets are made by a generator, and returns
// its address.
func startTURN(t *testing.T, password string, generator turn.RelayAddressGenerator) string {
	t.Helper()
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "test",
		AuthHandler: func(name, realm string, _ net.Addr) ([]byte, bool) {
			return turn.GenerateAuthKey(name, realm, password), true
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: socket, RelayAddressGenerator: generator}},
		LoggerFactory:     &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return socket.LocalAddr().String()
}

// servers are those of a check, by way.
func servers(t *testing.T, urls map[way]string) map[way][]iceServer {
	t.Helper()
	all := make(map[way][]iceServer)
	for w, url := range urls {
		uri, err := stun.ParseURI(url)
		if err != nil {
			t.Fatal(err)
		}
		all[w] = []iceServer{{url, uri, "user", "secret"}}
	}
	return all
}

// TestSilentUDP has a port at which nobody answers, as behind a firewall.
func TestSilentUDP(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := &Check{servers: servers(t, map[way]string{bySTUN: "stun:" + silent.LocalAddr().String()})}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	s := c.stun(ctx)
	if s.Result != Failed || !strings.Contains(s.Detail, "no answer within") || !strings.Contains(s.Hint, "/udp open") {
		t.Errorf("step: %+v", s)
	}
}

// TestWrongCredentials are refused.
func TestWrongCredentials(t *testing.T) {
	addr := startTURN(t, "another", &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"})
	report := run(t, Config{URL: onlyICE(t, "stun:"+addr, "turn:"+addr+"?transport=udp")})
	want(t, report, "stun", OK)
	want(t, report, "turn-udp", Failed, "--turn-secret-file")
	want(t, report, "turn-ports", NotTried, "needs one of")
}

// lossy makes relayed addresses at 127.0.0.1 through which something does not
// come, and tells when it did not.
type lossy struct {
	turn.RelayAddressGeneratorStatic
	from, to net.IP // is lost; nil is nothing
	lost     func()
}

func (l *lossy) AllocatePacketConn(network string, port int) (net.PacketConn, net.Addr, error) {
	conn, addr, err := l.RelayAddressGeneratorStatic.AllocatePacketConn(network, port)
	return lossyConn{conn, l}, addr, err
}

type lossyConn struct {
	net.PacketConn
	*lossy
}

func (c lossyConn) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(p)
		if err != nil || !from.(*net.UDPAddr).IP.Equal(c.from) {
			return n, from, err
		}
		c.lost()
	}
}

func (c lossyConn) WriteTo(p []byte, to net.Addr) (int, error) {
	if !to.(*net.UDPAddr).IP.Equal(c.to) {
		return c.PacketConn.WriteTo(p, to)
	}
	c.lost()
	return len(p), nil
}

// TestWhatIsLost has allocations through which nothing comes: the steps end with
// the first message that is lost.
func TestWhatIsLost(t *testing.T) {
	for name, l := range map[string]struct {
		from, to net.IP
		try      func(*Check, context.Context) Step
		words    []string
	}{
		"between relayed addresses": {nil, net.IPv4(127, 0, 0, 1), turnBy(byUDP), []string{"nothing comes through", "--turn-relay-ip"}},
		"from outside":              {outside.AsSlice(), nil, (*Check).turnPorts, []string{"does not arrive", "--turn-relay-ports"}},
		"to outside":                {nil, outside.AsSlice(), (*Check).turnPorts, []string{"none comes back", "UDP out"}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			addr := startTURN(t, "secret", &lossy{
				turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}, l.from, l.to, cancel,
			})
			c := &Check{
				config: Config{Timeout: patience}, local: outside, results: map[string]Step{"turn-udp": ok("")},
				servers: servers(t, map[way]string{byUDP: "turn:" + addr + "?transport=udp"}),
			}
			s := l.try(c, ctx)
			for _, word := range l.words {
				if s.Result != Failed || !strings.Contains(s.Detail+s.Hint, word) {
					t.Errorf("%q is not said: %+v", word, s)
				}
			}
		})
	}
}

func TestBadICE(t *testing.T) {
	want(t, run(t, Config{URL: onlyICE(t, "turn:[:x")}), "ice", Failed, "refuse the whole list")
	want(t, run(t, Config{URL: onlyICE(t)}), "ice", Failed, "no server")
	report := run(t, Config{URL: onlyICE(t, "turn:127.0.0.1:9?transport=tcp")})
	want(t, report, "stun", Failed, "no STUN server")
}

func TestTURNErrors(t *testing.T) {
	c := &Check{}
	uri, err := stun.ParseURI("turn:127.0.0.1:3478?transport=udp")
	if err != nil {
		t.Fatal(err)
	}
	for text, hint := range map[string]string{
		"Allocate error response (error 401: Unauthorized)":              "--turn-secret-file",
		"CreatePermission error response (error 403: Forbidden)":         "--turn-deny-peer",
		"Allocate error response (error 486: Allocation Quota Reached)":  "turn-allocations-per-client",
		"Allocate error response (error 508: Insufficient Capacity)":     "--turn-relay-ports",
		"dial tcp4 127.0.0.1:1: connect: connection refused (error 4011": "open",
	} {
		if got := c.turnHint(errors.New(text), iceServer{uri: uri}, byUDP); !strings.Contains(got, hint) {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Hour: "1h", 10 * time.Minute: "10m", 90 * time.Minute: "1h30m", 20 * time.Second: "20s", 90 * time.Second: "1m30s"} {
		if got := span(d); got != want {
			t.Errorf("%v is %q", d, got)
		}
	}
}
