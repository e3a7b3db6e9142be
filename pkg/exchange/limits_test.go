package exchange

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

func TestLimitsSet(t *testing.T) {
	var l Limits
	for _, set := range []struct{ name, value, get string }{
		{"peers", "5", "5"},
		{"peers", "unlimited", "unlimited"},
		{"handshake-time", "3s", "3s"},
		{"outbound-queue-bytes", "64KiB", "65536"},
		{"relay-bytes-per-second", "1MB", "1000000"},
	} {
		if err := l.Set(set.name, set.value); err != nil {
			t.Error(err)
		}
		if got := l.Get(set.name); got != set.get {
			t.Errorf("%s=%s reads back as %s", set.name, set.value, got)
		}
	}
	for _, bad := range [][2]string{
		{"peer", "5"}, {"peers", "many"}, {"peers", "0"}, {"peers", "-3"}, {"peers", "99999999999"},
		{"handshake-time", "3"}, {"handshake-time", "-3s"}, {"receive-buffer-bytes", "1"}, {"all", "5"}, {"", ""},
	} {
		if err := l.Set(bad[0], bad[1]); err == nil {
			t.Errorf("%s=%s was taken", bad[0], bad[1])
		}
	}
	if err := l.Set("all", "unlimited"); err != nil {
		t.Error(err)
	}
	d := l.withDefaults()
	if d.PeersPerIP != Unlimited || d.GetPeerPerSecond != Unlimited || d.RelaysPerPeer != Unlimited {
		t.Errorf("all=unlimited left %+v", d)
	}
	if d.ControlMessageBytes != 64<<10 || d.RelayTime != 30*time.Second || d.HandshakeTime != 3*time.Second {
		t.Errorf("all=unlimited changed sizes and times: %+v", d)
	}
}

func TestEveryLimitHasADefault(t *testing.T) {
	d := Limits{}.withDefaults()
	for _, name := range LimitNames() {
		if got := d.Get(name); got == "0" || got == "0s" || got == "" {
			t.Errorf("%s is %q", name, got)
		}
	}
	if err := d.validate(); err != nil {
		t.Error(err)
	}
}

func TestPeersPerIP(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", limited("peers-per-ip", "2"), limited("peers", "3"))
		first := w.dialRaw("10.0.0.2", seed).shakeV0("")
		w.dialRaw("10.0.0.2", seed).shakeV0("")
		if r := w.dialRaw("10.0.0.2", seed).listen(false); !r.closed() {
			t.Error("a third connection from one address")
		}
		w.dialRaw("10.0.0.3", seed).shakeV0("")
		if r := w.dialRaw("10.0.0.4", seed).listen(false); !r.closed() {
			t.Error("a fourth connection")
		}
		if got := seed.Stats().Refused; got["peers-per-ip"] != 1 || got["peers"] != 1 {
			t.Errorf("refused %v", got)
		}
		first.conn.Close()
		synctest.Wait()
		w.dialRaw("10.0.0.2", seed).shakeV0("")
	})
}

func TestAddressRanges(t *testing.T) {
	for _, same := range [][2]string{{"192.0.2.1", "192.0.2.1"}, {"2001:db8::1", "2001:db8::2:3"}, {"::ffff:192.0.2.1", "192.0.2.1"}} {
		if a, b := ownedBy(hostOf(stringAddr(same[0]))), ownedBy(hostOf(stringAddr(same[1]))); a != b || !a.IsValid() {
			t.Errorf("%v and %v", a, b)
		}
	}
	for _, other := range [][2]string{{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8:0:1::1"}} {
		if a, b := ownedBy(hostOf(stringAddr(other[0]))), ownedBy(hostOf(stringAddr(other[1]))); a == b {
			t.Errorf("%v and %v are one", a, b)
		}
	}
	if hostOf(stringAddr("a web page")).IsValid() || ownedBy(hostOf(nil)).IsValid() {
		t.Error("no address became one")
	}
}

type stringAddr string

func (a stringAddr) Network() string { return "test" }
func (a stringAddr) String() string  { return string(a) }

func TestGetPeerPerSecond(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", limited("getpeer-per-second", "2"))
		w.dialRaw("10.0.0.9", seed).shakeV0(`"tcp":{"port":7}`)
		r := w.dialRaw("10.0.0.2", seed).shakeV0("")
		// ask asks n times, a while apart, and tells how often somebody was offered.
		ask := func(n int, apart time.Duration) (offered int) {
			for i := range n {
				r.line(`{"command":"getPeer","reqId":"r%d"}`, i)
				if m := r.message(); m["transport"] != nil {
					offered++
				}
				time.Sleep(apart)
			}
			return offered
		}
		if got := ask(10, 0); got != 10 {
			t.Errorf("%d of 10 at once, want all", got)
		}
		if got := ask(1, 10*time.Second); got != 0 {
			t.Error("there was one more than a burst")
		}
		if got := ask(100, 501*time.Millisecond); got != 100 {
			t.Errorf("%d of 100 at a rate that is allowed", got)
		}
		if got := seed.Stats().Refused["getpeer-per-second"]; got != 1 || r.closed() {
			t.Errorf("refused %d", got)
		}
	})
}

// TestGetPeerFlood asks as fast as it can, in both generations. The node reads no
// faster than twice the rate, one request that is answered for one that is refused,
// and whoever asks at the same time is answered at once.
func TestGetPeerFlood(t *testing.T) {
	const rate, burst, seconds, many = 10, 50, 20, 2000
	for name, protocol := range map[string]struct {
		shake   func(*raw) *raw
		request string
	}{
		"v0": {func(r *raw) *raw { return r.shakeV0("") }, `{"command":"getPeer","reqId":"r"}` + "\n"},
		"v1": {func(r *raw) *raw { return r.shakeV1("null") }, `["getpeers","1","net"]` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1", limited("getpeer-per-second", fmt.Sprint(rate)))
				w.dialRaw("10.0.0.9", seed).shakeV0(`"tcp":{"port":7}`)
				calm := w.dialRaw("10.0.0.3", seed).shakeV0("")
				flood := protocol.shake(w.dialRaw("10.0.0.2", seed))
				all := data(0, strings.Repeat(protocol.request, many))
				var writing sync.WaitGroup
				writing.Go(func() { io.WriteString(flood.conn, all) }) // until it is closed
				for range seconds {
					time.Sleep(time.Second)
					calm.line(`{"command":"getPeer","reqId":"r"}`)
					if m := calm.message(); m["transport"] == nil {
						t.Errorf("whoever asks now and then got %v", m)
					}
				}
				refused := seed.Stats().Refused["getpeer-per-second"]
				answered := uint64(len(flood.take()))
				if want := uint64(rate * seconds); refused == 0 || refused > want+1 || answered > burst+2*want+2 {
					t.Errorf("answered %d times in %d s, of which %d were refusals; want %d of these at most", answered, seconds, refused, want+1)
				}
				if flood.closed() {
					t.Error("the connection was closed")
				}
				flood.conn.Close()
				time.Sleep(time.Second)
				if n := len(seed.Peers()); n != 2 {
					t.Errorf("%d peers are left when the one that was held up is gone", n)
				}
				writing.Wait()
			})
		})
	}
}

// TestMessageFlood sends what is answered, and what means nothing, as fast as it can,
// in both generations. All of it is read, no faster than it may be, and whoever asks
// meanwhile is answered at once.
func TestMessageFlood(t *testing.T) {
	const rate, seconds, many = 20, 20, 1000
	for name, flood := range map[string]struct {
		shake    func(*raw) *raw
		message  string
		answered bool
	}{
		"v0 ping":  {func(r *raw) *raw { return r.shakeV0("") }, `{"command":"ping","token":"t"}`, true},
		"v0 junk":  {func(r *raw) *raw { return r.shakeV0("") }, `{}`, false},
		"v0 early": {func(r *raw) *raw { r.listen(false).write(opens(0, "pxp")); return r }, `{"command":"ping","token":"t"}`, false},
		"v1 error": {func(r *raw) *raw { return r.shakeV1("null") }, `["connect","9","elsewhere"]`, true},
		"v1 junk":  {func(r *raw) *raw { return r.shakeV1("null") }, `["res","9",null]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1", limited("messages-per-second", fmt.Sprint(rate)), limited("handshake-time", "10m"))
				w.dialRaw("10.0.0.9", seed).shakeV0(`"tcp":{"port":7}`)
				calm := w.dialRaw("10.0.0.3", seed).shakeV0("")
				r := flood.shake(w.dialRaw("10.0.0.2", seed))
				r.take()
				r.write(strings.Repeat(data(0, flood.message+"\n"), many))
				for second := range seconds {
					time.Sleep(time.Second)
					calm.line(`{"command":"getPeer","reqId":"r"}`)
					if m := calm.message(); m["transport"] == nil {
						t.Errorf("whoever asks now and then got %v", m)
					}
					if held := seed.Stats().Refused["messages-per-second"]; held > uint64(rate*(second+1)+1) {
						t.Errorf("held up %d times in %d s", held, second+1)
					}
				}
				held := seed.Stats().Refused["messages-per-second"]
				if want := uint64(rate * seconds); held < want {
					t.Errorf("held up %d times in %d s, want %d", held, seconds, want)
				}
				time.Sleep(time.Minute) // until all is read
				if got := len(r.take()); flood.answered && got != many || !flood.answered && got != 0 {
					t.Errorf("%d answers to %d messages", got, many)
				}
				if r.closed() {
					t.Error("the connection was closed")
				}
			})
		})
	}
}

// TestCreditIsNotPaced gives more credits at once than there may be other messages.
func TestCreditIsNotPaced(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", limited("messages-per-second", "1"))
		r := w.dialRaw("10.0.0.2", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"agent":"x","instance":"%s","features":["window"],"window":65536}}`, newID())
		r.line(`{"command":"helloack"}`)
		r.take()
		for range 1000 {
			r.line(`{"command":"credit","bytes":1}`)
		}
		asked := time.Now()
		r.line(`{"command":"ping","token":"t"}`)
		if m := r.message(); m["command"] != "pong" || time.Since(asked) > 0 || seed.Stats().Refused["messages-per-second"] != 0 {
			t.Errorf("got %v after %v", m, time.Since(asked))
		}
	})
}

func TestIdleTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", limited("idle-time", "1m"))
		r := w.dialRaw("10.0.0.2", seed).shakeV0("")
		for range 5 {
			time.Sleep(40 * time.Second)
			r.line(`{}`)
		}
		if r.closed() {
			t.Fatal("a peer that talks was disconnected")
		}
		time.Sleep(2 * time.Minute)
		if !r.closed() || seed.Stats().Refused["idle-time"] != 1 {
			t.Errorf("refused %v", seed.Stats().Refused)
		}
	})
}

// introduced is a seed with an asker and a candidate that it relays between.
type introduced struct {
	seed             *node
	asker, candidate *raw
	nonce            string
}

func introduce(w *world, change ...func(*Config)) introduced {
	w.t.Helper()
	in := introduced{seed: w.seed("10.0.0.1", change...)}
	in.candidate = w.dialRaw("10.0.0.2", in.seed).shakeV0(`"webrtc":{}`)
	in.asker = w.dialRaw("10.0.0.3", in.seed).shakeV0("")
	in.relay()
	return in
}

// relay asks for a candidate and opens the relay.
func (in *introduced) relay() {
	in.asker.t.Helper()
	in.asker.line(`{"command":"getPeer","reqId":"r"}`)
	m := in.asker.message()
	if m["transport"] != transports.WebRTC {
		in.asker.t.Fatalf("offered %v", m)
	}
	in.nonce = m["nonce"].(string)
	if m := in.candidate.message(); m["command"] != "incoming" || m["nonce"] != in.nonce || m["transport"] != transports.WebRTC {
		in.asker.t.Fatalf("candidate was told %v", m)
	}
	in.asker.write(opens(2, "relay:"+in.nonce))
	in.candidate.write(opens(2, "relay:"+in.nonce))
}

// arrived is what came out of the relay at an end.
func (in *introduced) arrived(r *raw) string {
	payload, _ := r.came("relay:" + in.nonce)
	return payload
}

func (in *introduced) ended(r *raw) bool {
	_, ended := r.came("relay:" + in.nonce)
	return ended
}

const someCandidate = `{"candidate":{"candidate":"candidate:1 1 udp 2122136831 192.0.2.1 %d typ host","sdpMLineIndex":0,"sdpMid":"0"}}`

func TestRelayTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		offer := `{"type":"offer","sdp":` + quoted(offerSDP) + "}\n"
		in.asker.write(data(2, offer))
		if got := in.arrived(in.candidate); got != offer {
			t.Fatalf("arrived %q", got)
		}
		time.Sleep(29 * time.Second)
		if in.ended(in.candidate) {
			t.Fatal("ended early")
		}
		time.Sleep(2 * time.Second)
		if !in.ended(in.candidate) || in.seed.Stats().Relays != 0 {
			t.Error("still open after its time")
		}
		// What comes late goes nowhere: a JavaScript node whose negotiation is over
		// crashes on it.
		in.asker.write(data(2, fmt.Sprintf(someCandidate, 1)+"\n"))
		if got := in.arrived(in.candidate); got != offer {
			t.Errorf("arrived after the end: %q", got)
		}
		if in.asker.closed() || in.candidate.closed() {
			t.Error("a peer was disconnected")
		}
		// The next relay is one of its own.
		in.relay()
		in.asker.write(data(2, offer))
		if got := in.arrived(in.candidate); got != offer {
			t.Errorf("second relay: %q", got)
		}
	})
}

func TestRelaysPerPeer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", limited("relays-per-peer", "3"))
		for i := range 2 {
			w.dialRaw(fmt.Sprintf("10.0.1.%d", i), seed).shakeV0(`"webrtc":true`)
		}
		asker := w.dialRaw("10.0.0.3", seed).shakeV0("")
		for i := range 5 {
			asker.line(`{"command":"getPeer","reqId":"r%d"}`, i)
			if m := asker.message(); (m["transport"] != nil) != (i < 3) {
				t.Errorf("request %d: %v", i, m)
			}
		}
		if got := seed.Stats(); got.Relays != 3 || got.Refused["relays-per-peer"] == 0 {
			t.Errorf("%+v", got)
		}
		time.Sleep(31 * time.Second)
		asker.line(`{"command":"getPeer","reqId":"again"}`)
		if m := asker.message(); m["transport"] == nil {
			t.Error("no room after the relays ended")
		}
	})
}

func TestRelayBytes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w, limited("relay-bytes", "100KB"))
		chunk := strings.Repeat("\n", 1000) // blank lines: all of it is dropped, all of it counts
		for range 101 {
			in.asker.write(data(2, chunk))
		}
		time.Sleep(5 * time.Second)
		if got := in.seed.Stats(); got.Refused["relay-bytes"] != 1 || got.Relays != 0 {
			t.Errorf("%+v", got)
		}
		if in.asker.closed() || in.candidate.closed() {
			t.Error("a peer was disconnected")
		}
	})
}

func TestRelayBytesPerSecond(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		start := time.Now()
		chunk := strings.Repeat("\n", 10_000)
		for range 30 {
			in.asker.write(data(2, chunk))
		}
		in.asker.line(`{"command":"getPeer","reqId":"after"}`)
		for !strings.Contains(in.asker.control(), "after") {
			time.Sleep(100 * time.Millisecond)
		}
		// 300,000 bytes, of which 64 KiB pass at once and the rest at 50,000 a second.
		if took := time.Since(start); took < 4*time.Second || took > 6*time.Second {
			t.Errorf("took %v", took)
		}
		if in.candidate.closed() {
			t.Error("the candidate paid")
		}
	})
}

func TestChannelsPerPeer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w, limited("channels-per-peer", "3"))
		in.asker.line(`{"command":"getPeer","reqId":"r"}`)
		if m := in.asker.message(); m["transport"] != nil {
			t.Errorf("offered %v", m)
		}
		if got := in.seed.Stats(); got.Refused["channels-per-peer"] == 0 || got.Relays != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// Ids of v1 candidates are good once, for their asker, for 15 s.
func TestCandidateIDs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		info := `{"pxp":true,"relay":true,"webrtc":true}`
		candidate := w.dialRaw("10.0.0.2", seed).shakeV1(info)
		asker, thief := w.dialRaw("10.0.0.3", seed).shakeV1("null"), w.dialRaw("10.0.0.4", seed).shakeV1("null")
		id := func() string {
			asker.line(`["getpeers","1","net"]`)
			reply := string(asker.take()[0])
			_, rest, ok := strings.Cut(reply, `"id":"`)
			if !ok || strings.Count(reply, `"id"`) != 1 {
				t.Fatalf("got %s", reply)
			}
			return rest[:strings.IndexByte(rest, '"')]
		}
		first := id()
		if len(first) != 32 {
			t.Errorf("id %q is not 128 bits", first)
		}
		relay := func(r *raw, id string) string {
			r.line(`["relay","9",["%s"]]`, id)
			if lines := candidate.take(); len(lines) > 0 {
				var nonce string
				fmt.Sscanf(string(lines[0]), `["incoming","%1s`, &nonce)
				candidate.line(`["res","%s",null]`, nonce)
			}
			return string(r.take()[0])
		}
		if got := relay(thief, first); !strings.Contains(got, "unknown candidate") {
			t.Errorf("another peer used the id: %s", got)
		}
		if got := relay(asker, first); got != `["res","9",null]` {
			t.Errorf("the asker got %s", got)
		}
		if got := relay(asker, first); !strings.Contains(got, "unknown candidate") {
			t.Errorf("used twice: %s", got)
		}
		second := id()
		time.Sleep(16 * time.Second)
		if got := relay(asker, second); !strings.Contains(got, "unknown candidate") {
			t.Errorf("used after its time: %s", got)
		}
		if asker.closed() || thief.closed() {
			t.Error("a peer was disconnected")
		}
	})
}

func TestQueueOverflowIsSlowPeer(t *testing.T) {
	if !errors.Is(ErrSlowPeer, mux.ErrSlowPeer) {
		t.Error("ErrSlowPeer is another one")
	}
}

func TestUnlimitedControlMessages(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", limited("control-message-bytes", "unlimited"))
		r := w.dialRaw("10.0.0.2", seed).shakeV0("")
		r.line(`{"command":"%s"}`, strings.Repeat("x", 200_000))
		if r.closed() {
			t.Error("disconnected")
		}
	})
}

// A peer may end while a relay is attached to both: nothing of it stays with the other.
func TestRelayThatEndsWhileItBegins(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		r := in.seed.relayTimes.first
		r.close() // as the end of the asker does, before the candidate is attached
		if r.attach() {
			t.Error("a relay that is over stands")
		}
		for i := range r.ends {
			end := &r.ends[i]
			if len(end.peer.attached) != 0 || end.peer.relays.Load() != 0 {
				t.Errorf("%d relays stay with a peer, %d are counted", len(end.peer.attached), end.peer.relays.Load())
			}
		}
	})
}
