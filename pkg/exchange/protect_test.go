package exchange

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// What is offered, relayed and sent to JavaScript nodes never is what crashes
// or drops them.

func TestHostileSignalsDoNotArrive(t *testing.T) {
	offer := `{"type":"offer","sdp":` + quoted(offerSDP) + "}\n"
	answer := strings.Replace(strings.Replace(offer, "offer", "answer", 1), "actpass", "active", 1)
	hostile := map[string]string{
		"no JSON":                       "{\n",
		"null":                          "null\n",
		"empty object":                  "{}\n",
		"null candidate":                `{"candidate":null}` + "\n",
		"candidate without sdpMid":      `{"candidate":{"candidate":"candidate:1 1 udp 2122136831 192.0.2.1 9 typ host"}}` + "\n",
		"candidate that is none":        `{"candidate":{"candidate":"boom","sdpMLineIndex":0,"sdpMid":"0"}}` + "\n",
		"SDP that is none":              `{"type":"offer","sdp":"boom"}` + "\n",
		"SDP of another kind":           strings.Replace(offer, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=audio 9 UDP/TLS/RTP/SAVPF 0", 1),
		"answer of the side that asked": answer,
		"line of a megabyte":            strings.Repeat("x", 200_000),
	}
	// These say nothing and are left out; the others end the relay.
	dropped := map[string]bool{"null": true, "empty object": true, "null candidate": true}
	for name, signal := range hostile {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				in := introduce(w)
				in.asker.write(data(2, signal))
				time.Sleep(5 * time.Second) // for what is relayed at 50 kB/s
				if got := in.arrived(in.candidate); got != "" {
					t.Errorf("arrived: %.200q", got)
				}
				if in.asker.closed() || in.candidate.closed() || in.candidate.destroyed() {
					t.Error("a peer was disconnected or told to drop the connection")
				}
				// In the other direction, while the asker's offer went through.
				in.relay()
				in.asker.write(data(2, offer))
				if got := in.arrived(in.candidate); got != offer {
					t.Fatalf("a sound offer did not arrive: %q", got)
				}
				if name == "answer of the side that asked" {
					signal = offer
				}
				in.candidate.write(data(2, signal))
				time.Sleep(5 * time.Second)
				if got := in.arrived(in.asker); got != "" {
					t.Errorf("arrived at the asker: %.200q", got)
				}
				if got := in.seed.Stats().Refused["signal"]; got == 0 && !dropped[name] {
					t.Errorf("refused %v", in.seed.Stats().Refused)
				}
			})
		})
	}
}

func TestDestroyInRelayEndsTheRelayOnly(t *testing.T) {
	for _, kind := range []mux.Type{mux.TypeEnd, mux.TypeDestroy} {
		inWorld(t, func(t *testing.T, w *world) {
			in := introduce(w)
			in.candidate.write(frame(2, kind, ""))
			if !in.ended(in.asker) && in.seed.Stats().Relays != 0 {
				t.Error("the relay stands")
			}
			if in.asker.closed() || in.candidate.closed() || in.asker.destroyed() || in.candidate.destroyed() {
				t.Error("a peer was disconnected or told to drop the connection")
			}
		})
	}
}

// A JavaScript v1 seed drops the peers that it introduces, because each ends its
// relay with frames 4, 5, 6 (WIRE.md §4.6). This one keeps them.
func TestV1RelayEndKeepsPeers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		info := `{"pxp":true,"relay":true,"webrtc":true}`
		candidate, asker := w.dialRaw("10.0.0.2", seed).shakeV1(info), w.dialRaw("10.0.0.3", seed).shakeV1(info)
		for i := range 3 {
			asker.line(`["getpeers","g","net"]`)
			_, rest, _ := strings.Cut(string(asker.take()[0]), `"id":"`)
			id, _, _ := strings.Cut(rest, `"`)
			asker.line(`["relay","r",["%s"]]`, id)
			lines := candidate.take()
			if len(lines) != 1 {
				t.Fatalf("candidate was told %q", lines)
			}
			_, rest, _ = strings.Cut(string(lines[0]), `,["`)
			there, _, _ := strings.Cut(rest, `"`)
			_, rest, _ = strings.Cut(string(lines[0]), `["incoming","`)
			nonce, _, _ := strings.Cut(rest, `"`)
			candidate.line(`["res","%s",null]`, nonce)
			hello := magic + opens(0, "pxp") + data(0, `["hello","0",[1,`+info+`,["net"]]]`+"\n")
			candidate.write(opens(2, "relay:"+there) + data(2, hello))
			if got := string(asker.take()[0]); got != `["res","r",null]` {
				t.Fatalf("asker got %s", got)
			}
			if got, _ := asker.came("relay:" + id); got != hello {
				t.Errorf("through the relay came %q", got)
			}
			asker.write(opens(2, "relay:"+id) + data(2, hello))
			// Both end their relay as npm 2.2.0 does, and use the id again at once.
			for _, r := range []*raw{asker, candidate} {
				r.write(frame(2, mux.TypeEnd, "") + frame(2, mux.TypeReceiverDestroy, "") + frame(2, mux.TypeDestroy, ""))
			}
			if asker.closed() || candidate.closed() || asker.destroyed() || candidate.destroyed() {
				t.Fatalf("round %d: a peer was lost", i)
			}
			if got := seed.Stats().Relays; got != 0 {
				t.Errorf("%d relays are left", got)
			}
		}
	})
}

func TestV1PeersThatDoNotAcceptAreNotListed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		for i, info := range []string{"null", `{}`, `{"pxp":true,"relay":true}`, `{"pxp":false,"relay":true,"webrtc":true}`, `[]`, `7`} {
			r := w.dialRaw(fmt.Sprintf("10.0.1.%d", i), seed).listen(true)
			r.write(magic + opens(0, "pxp"))
			r.line(`["hello","0",[1,%s,["net"]]]`, info)
		}
		asker := w.dialRaw("10.0.0.3", seed).shakeV1("null")
		asker.line(`["getpeers","g","net"]`)
		if got := string(asker.take()[0]); got != `["res","g",[null,[]]]` {
			t.Errorf("got %s", got)
		}
	})
}

// Candidates are offered only to peers of the same generation.
func TestGenerationsDoNotMix(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		v0 := w.dialRaw("10.0.0.2", seed).shakeV0(`"webrtc":true`)
		v1 := w.dialRaw("10.0.0.3", seed).shakeV1(`{"pxp":true,"relay":true,"webrtc":true}`)
		v0.line(`{"command":"getPeer","reqId":"r"}`)
		if m := v0.message(); m["transport"] != nil {
			t.Errorf("v0 was offered %v", m)
		}
		v1.line(`["getpeers","g","net"]`)
		if got := string(v1.take()[0]); got != `["res","g",[null,[]]]` {
			t.Errorf("v1 was offered %s", got)
		}
	})
}

// dialPage connects to a node over a websocket that a web page opened.
func (w *world) dialPage(origin string, from string, to *node) *raw {
	ours, theirs := net.Pipe()
	w.t.Cleanup(func() { ours.Close() })
	to.ServeConn(pageConn{theirs, origin, stringAddr(from)}, transports.WebSocket)
	return &raw{w.t, ours, newRawFrames(), make(chan struct{})}
}

type pageConn struct {
	net.Conn
	origin string
	from   net.Addr
}

func (c pageConn) Origin() string       { return c.origin }
func (c pageConn) RemoteAddr() net.Addr { return c.from }

func TestWhatIsOfferedToWhom(t *testing.T) {
	const ws, wss, tcp = `"websocket":{"port":80}`, `"websocket":{"port":443,"secure":true}`, `"tcp":{"port":7}`
	tests := []struct {
		name, accepts, candidate string
		asker                    func(*world, *node) *raw
		address                  any // nil for no offer
	}{
		{"tcp to a tcp client", tcp, "192.0.2.1", from("10.0.0.9"), "192.0.2.1"},
		{"tcp to a page", tcp, "192.0.2.1", page("http://a.example", "10.0.0.9"), nil},
		{"websocket to a page", ws, "192.0.2.1", page("http://a.example", "10.0.0.9"), "192.0.2.1"},
		{"insecure websocket to a secure page", ws, "192.0.2.1", page("https://a.example", "10.0.0.9"), nil},
		{"secure websocket to a secure page", wss, "192.0.2.1", page("https://a.example", "10.0.0.9"), "192.0.2.1"},
		{"IPv6 over websocket", ws, "2001:db8::1", from("10.0.0.9"), "[2001:db8::1]"},
		{"IPv6 over tcp", tcp, "2001:db8::1", from("10.0.0.9"), "2001:db8::1"},
		{"mapped IPv4", ws, "::ffff:192.0.2.1", page("http://a.example", "10.0.0.9"), "192.0.2.1"},
		{"private to public", tcp, "10.1.1.1", from("192.0.2.9"), nil},
		{"private to private", tcp, "10.1.1.1", from("10.0.0.9"), "10.1.1.1"},
		{"loopback to private", tcp, "127.0.0.1", from("10.0.0.9"), nil},
		{"loopback to loopback", tcp, "127.0.0.1", from("127.0.0.1"), "127.0.0.1"},
		{"no port", `"tcp":{}`, "192.0.2.1", from("10.0.0.9"), nil},
		{"a port that is none", `"tcp":{"port":"x"}`, "192.0.2.1", from("10.0.0.9"), nil},
		{"null options", `"websocket":null`, "192.0.2.1", from("10.0.0.9"), nil},
		{"options that are true", `"tcp":true`, "192.0.2.1", from("10.0.0.9"), nil},
		{"a transport that nobody knows", `"smoke":{"port":7}`, "192.0.2.1", from("10.0.0.9"), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1")
				w.dialPage("", test.candidate, seed).shakeV0(test.accepts)
				asker := test.asker(w, seed).shakeV0("")
				asker.line(`{"command":"getPeer","reqId":"r"}`)
				m := asker.message()
				if m["address"] != test.address {
					t.Errorf("offered %v, want address %v", m, test.address)
				}
				if test.address != nil && m["opts"].(map[string]any)["port"] == nil {
					t.Errorf("offered %v: no port", m)
				}
				if test.address == nil {
					for _, field := range []string{"transport", "opts", "address"} {
						if value, there := m[field]; !there || value != nil {
							t.Errorf("no peer is said with %v", m)
						}
					}
				}
			})
		})
	}
}

func from(host string) func(*world, *node) *raw {
	return func(w *world, seed *node) *raw { return w.dialRaw(host, seed) }
}

func page(origin, host string) func(*world, *node) *raw {
	return func(w *world, seed *node) *raw { return w.dialPage(origin, host, seed) }
}

// Whoever offers an address of a place it cannot know is not followed: a stranger
// must not make this node dial into its own network.
func TestOffersAreNotFollowedAnywhere(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "localhost", "0.0.0.0", "224.0.0.1", "fe80::1%eth0"} {
		t.Run(address, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				victim := w.seed("192.0.2.1")
				liar := w.dialRaw("198.51.100.1", victim).shakeV0("")
				p := victim.next()
				result := make(chan error, 1)
				go func() {
					_, err := p.GetNewPeer(ctx)
					result <- err
				}()
				reqID := liar.message()["reqId"]
				liar.line(`{"command":"%s","transport":"tcp","opts":{"port":1000},"address":"%s","nonce":"n"}`, reqID, address)
				if err := <-result; err == nil || !strings.Contains(err.Error(), "cannot know") {
					t.Errorf("GetNewPeer: %v", err)
				}
			})
		})
	}
}
