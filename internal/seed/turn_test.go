package seed

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun"
	pionturn "github.com/pion/turn/v2"
	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/internal/turn"
)

// turnConfig is that of a seed with TURN on the loopback interface, where the
// peers of its clients are at 127.0.0.2.
func turnConfig(t *testing.T) Config {
	cfg := testConfig(t)
	cfg.TURNListen = []string{"127.0.0.1:0"}
	cfg.TURNRelayIP = "127.0.0.1"
	cfg.TURNAllowPeers = []string{"127.0.0.2"}
	return cfg
}

// ice asks for the ICE servers through the port with TLS.
func (s *testSeed) getICE(t *testing.T) ICE {
	t.Helper()
	client, base := s.client(t)
	return getICE(t, client, base)
}

func getICE(t *testing.T, client *http.Client, base string) (answer ICE) {
	t.Helper()
	res, err := client.Get(base + "/ice")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// relays are the TURN servers of an answer, one by one, and the one without TLS
// on the exchange's own port.
func (s *testSeed) relays(t *testing.T) (urls []string, username, credential string) {
	t.Helper()
	servers := s.getICE(t).ICEServers
	if len(servers) != 2 {
		t.Fatalf("ICE servers are %+v", servers)
	}
	urls = append(servers[1].URLs, fmt.Sprintf("turn:127.0.0.1:%d?transport=tcp", s.plain))
	if len(urls) != 4 || !strings.HasPrefix(urls[2], "turns:") {
		t.Fatalf("TURN servers are %v, want one for UDP, TCP, TLS each", servers[1].URLs)
	}
	return urls, servers[1].Username, servers[1].Credential
}

// quiet takes what pion says of its connections.
func quiet() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
}

// dialTURN connects pion's client to a server by its URL.
func (s *testSeed) dialTURN(t *testing.T, url, username, credential string) *pionturn.Client {
	t.Helper()
	uri, err := stun.ParseURI(url)
	if err != nil {
		t.Fatal(err)
	}
	addr := net.JoinHostPort(uri.Host, fmt.Sprint(uri.Port))
	var conn net.PacketConn
	switch {
	case uri.Scheme == stun.SchemeTypeTURNS:
		secure, err := tls.Dial("tcp", addr, s.trust(t))
		if err != nil {
			t.Fatal(err)
		}
		conn = pionturn.NewSTUNConn(secure)
	case uri.Proto == stun.ProtoTypeTCP:
		plain, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn = pionturn.NewSTUNConn(plain)
	default:
		if conn, err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	client, err := pionturn.NewClient(&pionturn.ClientConfig{
		STUNServerAddr: addr, TURNServerAddr: addr, Conn: conn, Username: username, Password: credential, LoggerFactory: quiet(),
	})
	if err != nil {
		conn.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); conn.Close() })
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	return client
}

// startEcho is a peer at 127.0.0.2 that sends back what it gets.
func startEcho(t *testing.T) net.PacketConn {
	t.Helper()
	peer, err := net.ListenPacket("udp4", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := peer.ReadFrom(buf)
			if err != nil {
				return
			}
			peer.WriteTo(buf[:n], from)
		}
	}()
	t.Cleanup(func() { peer.Close(); <-done })
	return peer
}

// echo sends something through an allocation and waits until it comes back.
func echo(t *testing.T, relay net.PacketConn, peer net.Addr) {
	t.Helper()
	relay.SetDeadline(time.Now().Add(stepTime))
	const text = "through the seed"
	if _, err := relay.WriteTo([]byte(text), peer); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	n, from, err := relay.ReadFrom(buf)
	if err != nil || string(buf[:n]) != text || from.String() != peer.String() {
		t.Fatalf("got %q from %v, %v", buf[:n], from, err)
	}
}

// TestTURNByEveryWay has pion's client allocate and relay by each way into the
// seed, with what /ice tells.
func TestTURNByEveryWay(t *testing.T) {
	s := startSeed(t, turnConfig(t))
	peer := startEcho(t)
	urls, username, credential := s.relays(t)
	for _, url := range urls {
		client := s.dialTURN(t, url, username, credential)
		if mapped, err := client.SendBindingRequest(); err != nil || !strings.HasPrefix(mapped.String(), "127.0.0.1:") {
			t.Errorf("%s: STUN says that the client is at %v, %v", url, mapped, err)
		}
		relay, err := client.Allocate()
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		echo(t, relay, peer.LocalAddr())
		if n := s.Status().TURN.Allocations; n != 1 {
			t.Errorf("%s: the status tells of %d allocations", url, n)
		}
		if err := relay.Close(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		client.Close()
		// Nobody waits for the answer to the end of an allocation.
		for _, transport := range turn.Transports() {
			s.eventually(t, "seed_turn_allocations "+transport, 0)
		}
	}
	// Messages are counted a moment after they are sent.
	s.eventually(t, "seed_turn_relayed_messages_total to-peer", 4)
	s.eventually(t, "seed_turn_relayed_messages_total to-client", 4)
	got := gather(t, s)
	for name, want := range map[string]float64{
		"seed_turn_allocations_made_total udp":           1,
		"seed_turn_allocations_made_total tcp":           2,
		"seed_turn_allocations_made_total tls":           1,
		"seed_turn_allocations_made_total":               0,
		"seed_turn_permissions_denied_total loopback":    0,
		"seed_turn_quota_refusals_total allocations":     0,
		"seed_turn_auth_failures_total expired":          0,
		"seed_ice_requests_total answered":               1,
		"seed_turn_dropped_messages_total no-permission": 0,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if n := s.entrance.pending.len(); n > 1 { // /ice's own connection may be kept
		t.Errorf("%d connections are pending", n)
	}
}

// TestTURNLeadsNowhereElse asks for peers that nobody is to be led to: what is on
// this machine, the seed's own ports among it, and in its networks.
func TestTURNLeadsNowhereElse(t *testing.T) {
	cfg := turnConfig(t)
	cfg.ExternalIPs = []string{"198.18.0.1"}
	cfg.TURNAllowPeers = []string{"127.0.0.2", "198.18.0.0/15", "10.1.0.0/16"}
	cfg.TURNDenyPeers = []string{"10.1.2.0/24"}
	s := startSeed(t, cfg)
	username, credential, _ := s.turn.server.Credentials("test")
	client := s.dialTURN(t, "turn:"+s.turn.server.Addrs("udp")[0].String(), username, credential)
	relay, err := client.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	for peer, allowed := range map[string]bool{
		"127.0.0.2:9": true, "198.18.0.2:9": true, "10.1.1.1:9": true,
		"127.0.0.3:9": false, "192.168.1.1:9": false, "10.2.0.1:9": false, "169.254.169.254:80": false,
		"10.1.2.3:9":   false, // denied
		"198.18.0.1:9": false, // the seed's own, by another name
	} {
		addr, err := net.ResolveUDPAddr("udp4", peer)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.CreatePermission(addr); (err == nil) != allowed {
			t.Errorf("permission for %s: %v", peer, err)
		}
	}
}

// trustingDialer connects by TLS, which pion leaves to a dialer if there is one.
type trustingDialer struct {
	config *tls.Config
	secure string // the address with TLS
}

func (d trustingDialer) Dial(network, addr string) (net.Conn, error) {
	if addr == d.secure {
		return tls.Dial(network, addr, d.config)
	}
	return net.Dial(network, addr)
}

// newRelayed is a peer connection that uses nothing but the TURN server of the URL.
func (s *testSeed) newRelayed(t *testing.T, url, username, credential string) *pion.PeerConnection {
	t.Helper()
	var settings pion.SettingEngine
	settings.LoggerFactory = quiet()
	settings.SetICEProxyDialer(trustingDialer{s.trust(t), s.ports[0].listener.Addr().String()})
	settings.SetIncludeLoopbackCandidate(true)
	pc, err := pion.NewAPI(pion.WithSettingEngine(settings)).NewPeerConnection(pion.Configuration{
		ICEServers:         []pion.ICEServer{{URLs: []string{url}, Username: username, Credential: credential}},
		ICETransportPolicy: pion.ICETransportPolicyRelay,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	return pc
}

// describe sets a description and returns it once it has all candidates, which
// are relayed ones.
func describeAll(ctx context.Context, t *testing.T, pc *pion.PeerConnection, d pion.SessionDescription) pion.SessionDescription {
	t.Helper()
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(d); err != nil {
		t.Fatal(err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		t.Fatal("candidates are not gathered")
	}
	sdp := pc.LocalDescription().SDP
	if !strings.Contains(sdp, " typ relay ") || strings.Contains(sdp, " typ host ") || strings.Contains(sdp, " typ srflx ") {
		t.Fatalf("candidates are not relayed ones and no others:\n%s", sdp)
	}
	return *pc.LocalDescription()
}

// TestRelayedPeerConnections has two peer connections find each other from relayed
// address to relayed address, for each way into the seed.
func TestRelayedPeerConnections(t *testing.T) {
	s := startSeed(t, turnConfig(t))
	urls, username, credential := s.relays(t)
	for _, url := range urls {
		t.Run(url[strings.LastIndexByte(url, ':'):], func(t *testing.T) {
			ctx := testContext(t)
			asker, answerer := s.newRelayed(t, url, username, credential), s.newRelayed(t, url, username, credential)
			answerer.OnDataChannel(func(channel *pion.DataChannel) {
				channel.OnMessage(func(m pion.DataChannelMessage) { channel.Send(m.Data) })
			})
			channel, err := asker.CreateDataChannel("data", nil)
			if err != nil {
				t.Fatal(err)
			}
			const text = "from relay to relay"
			got := make(chan string, 1)
			channel.OnOpen(func() { channel.SendText(text) })
			channel.OnMessage(func(m pion.DataChannelMessage) { got <- string(m.Data) })

			offer, err := asker.CreateOffer(nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := answerer.SetRemoteDescription(describeAll(ctx, t, asker, offer)); err != nil {
				t.Fatal(err)
			}
			answer, err := answerer.CreateAnswer(nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := asker.SetRemoteDescription(describeAll(ctx, t, answerer, answer)); err != nil {
				t.Fatal(err)
			}
			select {
			case echo := <-got:
				if echo != text {
					t.Errorf("echo is %q", echo)
				}
			case <-ctx.Done():
				t.Fatal("nothing came back")
			}
		})
	}
}

// TestTURNOff has nobody take TURN, nor credentials for it.
func TestTURNOff(t *testing.T) {
	s := startSeed(t, testConfig(t))
	client, base := s.client(t)
	res, err := client.Get(base + "/ice")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("/ice answers %s", res.Status)
	}
	conn := dialPlain(t, s)
	if _, err := io.WriteString(conn, stunRequest+"transaction."); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes of an answer", n)
	}
	if n := s.Refused()[refusedTURNOff]; n != 1 {
		t.Errorf("counted %d refusals, want 1", n)
	}
	if s.Status().TURN != nil || strings.Contains(s.Welcome(), "turn") {
		t.Error("status or welcome speaks of TURN")
	}
}

// TestWelcomeTellsWhomTURNIsFor names the ports, and says where nobody else
// reaches the relay.
func TestWelcomeTellsWhomTURNIsFor(t *testing.T) {
	for relay, hint := range map[string]string{
		"127.0.0.1": "of use on this machine only",
		"10.1.2.3":  "of use in this machine's network only",
		"8.8.8.8":   "",
	} {
		cfg := turnConfig(t)
		cfg.TURNRelayIP, cfg.TURNRelayPorts = relay, "50000-50100"
		s, err := New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		welcome := s.Welcome()
		for _, want := range []string{
			"UDP port " + portOf(s.turn.server.Addrs("udp")[0]), "TCP port " + portOf(s.turn.server.Addrs("tcp")[0]),
			"/ice", relay, "50000-50100", hint,
		} {
			if !strings.Contains(welcome, want) {
				t.Errorf("%q is not in the welcome:\n%s", want, welcome)
			}
		}
		if (hint != "") != strings.Contains(welcome, "--external-ip or --turn-relay-ip") {
			t.Errorf("with %s the welcome says:\n%s", relay, welcome)
		}
	}
}
