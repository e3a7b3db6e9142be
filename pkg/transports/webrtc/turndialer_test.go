package webrtc

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/pion/turn/v2"
	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/pkg/transports/internal/testca"
)

// startStreamTURN runs a TURN server over TCP, or with a config over TLS, and
// returns its URL.
func startStreamTURN(t *testing.T, config *tls.Config, user, password string) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme, addr := "turn:", listener.Addr().String()
	if config != nil {
		scheme, listener = "turns:", tls.NewListener(listener, config)
	}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "test",
		AuthHandler: func(name, realm string, _ net.Addr) ([]byte, bool) {
			return turn.GenerateAuthKey(user, realm, password), name == user
		},
		ListenerConfigs: []turn.ListenerConfig{{
			Listener:              listener,
			RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return scheme + addr + "?transport=tcp"
}

// TestTrustedTURNServer relays by a server whose certificate only Config.TLS
// trusts, and by one beside it that speaks no TLS.
func TestTrustedTURNServer(t *testing.T) {
	ca := testca.New(t)
	for _, config := range []*tls.Config{ca.Server(t, "127.0.0.1"), nil} {
		url := startStreamTURN(t, config, "user", "secret")
		t.Run(strings.SplitN(url, ":", 2)[0], func(t *testing.T) {
			server := ICEServer{URLs: []string{url}, Username: "user", Credential: "secret"}
			hidden := closeAtEnd(t, New(Config{ICEServers: []ICEServer{server}, RelayOnly: true, TLS: ca.Client()}))
			plain := closeAtEnd(t, New(Config{Loopback: LoopbackAlways}))
			c1, c2 := connect(t, hidden, plain)
			exchange(t, c1, c2)
			if !c1.Relayed() {
				t.Error("the path is not said to be relayed")
			}
		})
	}
}

// TestUntrustedTURNServer is refused by who trusts another authority.
func TestUntrustedTURNServer(t *testing.T) {
	url := startStreamTURN(t, testca.New(t).Server(t, "127.0.0.1"), "user", "secret")
	dialer := newTURNDialer(testca.New(t).Client(), []pion.ICEServer{{URLs: []string{url}}})
	addr := strings.TrimSuffix(strings.TrimPrefix(url, "turns:"), "?transport=tcp")
	_, err := dialer.Dial("tcp4", addr)
	var untrusted *tls.CertificateVerificationError
	if !errors.As(err, &untrusted) {
		t.Errorf("dial: %v", err)
	}
}
