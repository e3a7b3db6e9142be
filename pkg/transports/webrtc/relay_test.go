package webrtc

import (
	"net"
	"regexp"
	"testing"

	"github.com/pion/turn/v2"
)

var relayForm = regexp.MustCompile(`^\{"candidate":\{"candidate":"candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ relay `)

// startTURN runs a TURN server on loopback and returns its URL.
func startTURN(t *testing.T, user, password string) string {
	t.Helper()
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "test",
		AuthHandler: func(name, realm string, _ net.Addr) ([]byte, bool) {
			return turn.GenerateAuthKey(user, realm, password), name == user
		},
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn:            socket,
			RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return "turn:" + socket.LocalAddr().String() + "?transport=udp"
}

func TestRelayOnly(t *testing.T) {
	server := ICEServer{URLs: []string{startTURN(t, "user", "secret")}, Username: "user", Credential: "secret"}
	hidden := closeAtEnd(t, New(Config{ICEServers: []ICEServer{server}, RelayOnly: true}))
	plain := closeAtEnd(t, New(Config{Loopback: LoopbackAlways}))
	a, b := newWires()
	c1, c2 := connectOver(t, hidden, plain, a, b)
	exchange(t, c1, c2)
	if !c1.Relayed() {
		t.Error("the hidden node's path is not said to be relayed")
	}
	for _, signal := range a.signals()[1:] {
		if !relayForm.MatchString(signal) {
			t.Errorf("the hidden node signalled %s", signal)
		}
	}
	if got := c2.RemoteAddr().(*net.UDPAddr).IP.String(); got != "127.0.0.1" {
		t.Errorf("the other node sees %s, want the TURN server's address", got)
	}
}

func TestUnreachableServersDoNotHoldUpADirectPath(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	addr := silent.LocalAddr().String()
	transport := New(Config{ICEServers: []ICEServer{
		{URLs: []string{"stun:" + addr}},
		{URLs: []string{"turn:" + addr}, Username: "user", Credential: "secret"},
	}})
	c1, c2 := connect(t, transport, transport)
	exchange(t, c1, c2)
	closeAtEnd(t, transport)
}
