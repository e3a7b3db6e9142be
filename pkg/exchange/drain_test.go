package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// lasting is a context that ends after a time.
func lasting(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(ctx, d)
	t.Cleanup(cancel)
	return ctx
}

// drain starts to drain a node.
func (n *node) drain(d time.Duration, elsewhere ...string) (drained chan error) {
	n.t.Helper()
	synctest.Wait() // until the node, too, takes its peers for ready
	ctx := lasting(n.t, d)
	drained = make(chan error, 1)
	go func() { drained <- n.Drain(ctx, elsewhere...) }()
	synctest.Wait()
	return drained
}

// shakeExtended does the handshake of a node that knows extensions.
func (r *raw) shakeExtended(features ...string) *raw {
	r.t.Helper()
	r.listen(false)
	r.write(opens(0, "pxp"))
	r.line(`{"command":"hello","id":"net","version":0,"accepts":{"webrtc":{}},"transports":["webrtc"],"ext":{"agent":"x","instance":"%s","features":["%s"]}}`,
		newID(), strings.Join(features, `","`))
	r.line(`{"command":"helloack"}`)
	synctest.Wait()
	r.forget()
	return r
}

// farewell is the one message that came after the notices of what is not accepted
// any more.
func (r *raw) farewell() map[string]any {
	r.t.Helper()
	for _, line := range r.take() {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			r.t.Fatal(err)
		}
		if m["command"] != "unaccept" {
			return m
		}
	}
	r.t.Fatal("told nothing")
	return nil
}

func TestDrainWithoutPeers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		start := time.Now()
		if err := w.seed("10.0.0.1").Drain(lasting(t, time.Minute)); err != nil || time.Since(start) != 0 {
			t.Errorf("took %v: %v", time.Since(start), err)
		}
	})
}

// Peers that know no goaway are disconnected one after the other, over all of the
// time.
func TestDrainSchedule(t *testing.T) {
	for name, shake := range map[string]func(*raw) *raw{
		"generation 0":       func(r *raw) *raw { return r.shakeV0(`"webrtc":{}`) },
		"generation 1":       func(r *raw) *raw { return r.shakeV1("{}") },
		"without the goaway": func(r *raw) *raw { return r.shakeExtended("ping") },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				const n, all = 20, 50 * time.Second
				seed := w.seed("10.0.0.1")
				closings := make(chan time.Duration, n)
				start := time.Now()
				var peers []*raw
				for i := range n {
					r := shake(w.dialRaw(fmt.Sprintf("10.1.%d.1", i), seed))
					go func() {
						<-r.gone
						r.conn.Close()
						closings <- time.Since(start)
					}()
					peers = append(peers, r)
				}
				if err := <-seed.drain(all, "wss://a.example"); err != nil {
					t.Errorf("Drain: %v", err)
				}
				for _, r := range peers {
					if told := r.control(); strings.Contains(told, "goaway") {
						t.Errorf("was told %s", told)
					}
				}
				slice := (all - closeLinger) / n
				for i := range n {
					if at := <-closings; at < time.Duration(i)*slice || at > time.Duration(i+1)*slice {
						t.Errorf("peer %d was disconnected after %v, want that between %v and %v", i, at, time.Duration(i)*slice, time.Duration(i+1)*slice)
					}
				}
				if took := time.Since(start); took > all {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// Those that know goaway are told at once, each with an order of its own, and may
// stay for a while.
func TestDrainTellsWhereToGo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const n, all = 40, 50 * time.Second
		var elsewhere []string
		for i := range 10 {
			elsewhere = append(elsewhere, fmt.Sprintf("wss://seed%d.example:443", i))
		}
		seed := w.seed("10.0.0.1")
		var told []*raw
		for i := range n {
			told = append(told, w.dialRaw(fmt.Sprintf("10.1.%d.1", i), seed).shakeExtended("goaway"))
		}
		start := time.Now()
		drained := seed.drain(all, append(elsewhere, "nonsense")...)
		const spread = n * time.Second / noticesPerSecond // between the first who is told and the last
		time.Sleep(spread)
		first := make(map[string]bool)
		var untils []time.Duration
		for _, r := range told {
			m := r.farewell()
			addresses, _ := m["addresses"].([]any)
			if m["command"] != "goaway" || len(addresses) != 8 {
				t.Fatalf("told %v", m)
			}
			for _, a := range addresses {
				if !slices.Contains(elsewhere, a.(string)) {
					t.Errorf("sent to %v", a)
				}
			}
			first[addresses[0].(string)] = true
			until := time.Duration(m["within"].(float64) * float64(time.Millisecond))
			if until < 24*time.Second-spread || until > 48*time.Second {
				t.Errorf("told to leave within %v", until)
			}
			untils = append(untils, until)
		}
		if len(first) < 4 {
			t.Errorf("all are sent to the same seeds: %v", first)
		}
		if slices.Sort(untils); untils[n-1]-untils[0] < 20*time.Second {
			t.Errorf("all are disconnected from %v to %v", untils[0], untils[n-1])
		}
		time.Sleep(20 * time.Second)
		for _, r := range told[:n/2] {
			if r.closed() {
				t.Error("disconnected in the first half")
			}
			r.conn.Close()
		}
		if err := <-drained; err != nil || time.Since(start) > all {
			t.Errorf("took %v: %v", time.Since(start), err)
		}
		for _, r := range told {
			if !r.closed() {
				t.Error("a peer is still connected")
			}
		}
	})
}

// Who becomes ready while the node drains already is told as well.
func TestDrainTellsLatecomers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		stays := w.dialRaw("10.0.0.2", seed).shakeExtended("goaway")
		late := w.dialRaw("10.0.0.3", seed).listen(false)
		late.write(opens(0, "pxp"))
		synctest.Wait()
		drained := seed.drain(9*time.Second, "wss://a.example")
		time.Sleep(time.Second)
		late.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":["webrtc"],"ext":{"agent":"x","instance":"%s","features":["goaway"]}}`, newID())
		late.line(`{"command":"helloack"}`)
		if got := late.control(); !strings.Contains(got, `{"command":"goaway","addresses":["wss://a.example"],"within":`) {
			t.Errorf("told %s", got)
		}
		if err := <-drained; err != nil {
			t.Errorf("Drain: %v", err)
		}
		if !late.closed() || !stays.closed() {
			t.Error("a peer is still connected")
		}
	})
}

// A node that takes the connection for ready, while this one does not yet, is told
// rather than cut off, and whoever says nothing is not waited for.
func TestDrainFinishesHandshakes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		late := w.dialRaw("10.0.0.3", seed).listen(false)
		late.write(opens(0, "pxp"))
		silent := w.dialRaw("10.0.0.4", seed).listen(false)
		silent.write(opens(0, "pxp"))
		start := time.Now()
		drained := seed.drain(9 * time.Second)
		late.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":["webrtc"],"ext":{"agent":"x","instance":"%s","features":["goaway"]}}`, newID())
		late.line(`{"command":"helloack"}`)
		time.Sleep(time.Millisecond)
		if got := late.control(); !strings.Contains(got, `"goaway"`) {
			t.Errorf("told %q", got)
		}
		late.conn.Close()
		if err := <-drained; err != nil || time.Since(start) > handshakeGrace+reprieve+closeLinger {
			t.Errorf("took %v: %v", time.Since(start), err)
		}
		if !silent.closed() {
			t.Error("who says nothing is still connected")
		}
	})
}

// A drain is over once everybody has gone.
func TestDrainEndsEarly(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		var leave []*Peer
		for i := range 3 {
			leave = append(leave, w.node(fmt.Sprintf("10.1.%d.1", i)).connect(seed))
		}
		start := time.Now()
		drained := seed.drain(time.Hour, "tcp://10.0.0.2:1000")
		for _, p := range leave {
			<-p.GoingAway()
			if addresses, until := p.Elsewhere(); !slices.Equal(addresses, []string{"tcp://10.0.0.2:1000"}) || time.Until(until) < 29*time.Minute {
				t.Errorf("told to go to %q until %v", addresses, until)
			}
			p.Close()
		}
		if err := <-drained; err != nil || time.Since(start) > closeLinger+time.Second {
			t.Errorf("took %v: %v", time.Since(start), err)
		}
	})
}

// A node that drains takes nobody in and introduces nobody any more, while what
// is in progress goes on, and ends last.
func TestDrainLetsIntroductionsEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		offer := `{"type":"offer","sdp":` + quoted(offerSDP) + "}\n"
		in.asker.write(data(2, offer))
		synctest.Wait()
		const all = 20 * time.Second
		drained := in.seed.drain(all)
		if got := in.arrived(in.candidate); got != offer {
			t.Fatalf("arrived %q", got)
		}
		in.asker.forget() // that nobody is accepted any more
		in.asker.line(`{"command":"getPeer","reqId":"r"}`)
		if m := in.asker.message(); m["command"] != "r" || m["transport"] != nil {
			t.Errorf("answered %v", m)
		}
		dial := in.seed.transports[transports.TCP].(transports.Dialer)
		if _, err := dial.Dial(ctx, in.seed.host, transports.Options{Port: 1000}); err == nil {
			t.Error("still accepts")
		}
		if err := in.seed.Accept(ctx, transports.WebRTC, transports.Options{}); !errors.Is(err, ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		for i := range 9 {
			time.Sleep(2 * time.Second)
			in.asker.write(data(2, fmt.Sprintf(someCandidate, 1000+i)+"\n"))
		}
		if in.asker.closed() || in.candidate.closed() {
			t.Error("cut off an introduction")
		}
		if err := <-drained; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain: %v", err)
		}
		if !in.asker.closed() || !in.candidate.closed() {
			t.Error("a peer is still connected")
		}
	})
}

// Once its introduction is over, a peer that was due goes.
func TestDrainWaitsNoLonger(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		drained := in.seed.drain(time.Second)
		if err := <-drained; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain: %v", err)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		start := time.Now()
		if err := <-in.seed.drain(signalingQuiet + 2*time.Second); err != nil {
			t.Errorf("Drain: %v", err)
		}
		if took := time.Since(start); took > signalingQuiet+2*time.Second+closeLinger {
			t.Errorf("took %v", took)
		}
	})
}

// A candidate of generation 1 that was offered before is not introduced either.
func TestDrainIntroducesNobodyOfGeneration1(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		candidate := w.dialRaw("10.0.0.2", seed).shakeV1(`{"pxp":true,"relay":true,"webrtc":true}`)
		asker := w.dialRaw("10.0.0.3", seed).shakeV1("{}")
		asker.line(`["getpeers","1","net"]`)
		offered := asker.control()
		_, id, _ := strings.Cut(offered, `"id":"`)
		id, _, ok := strings.Cut(id, `"`)
		if !ok {
			t.Fatalf("offered %s", offered)
		}
		asker.forget()
		drained := seed.drain(time.Hour)
		asker.line(`["relay","2",["%s"]]`, id)
		asker.line(`["getpeers","3","net"]`)
		if got := asker.control(); !strings.Contains(got, `["res","2","`+noRelay) || !strings.Contains(got, `["res","3",[null,[]]]`) {
			t.Errorf("answered %s", got)
		}
		if got := candidate.control(); got != "" {
			t.Errorf("candidate was told %s", got)
		}
		seed.Close()
		if err := <-drained; err != nil {
			t.Errorf("Drain: %v", err)
		}
	})
}

// Siblings send nobody to a seed that drains, find nobody there, and do not hold
// it up.
func TestDrainLeavesTheMesh(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seeds := w.meshOf(3)
		stays := w.dialRaw("10.2.0.1", seeds[0]).shakeV0(`"webrtc":true,"websocket":{"port":5}`)
		asker := w.dialRaw("10.3.0.1", seeds[1]).shakeV0("")
		settle()
		drained := seeds[0].drain(20 * time.Second)
		for _, s := range seeds[1:] {
			for _, sibling := range s.Siblings() {
				if sibling.Draining != (sibling.Instance == seeds[0].Instance()) {
					t.Errorf("sibling is known as %+v", sibling)
				}
			}
		}
		stays.forget()
		for _, r := range []*raw{asker, stays} {
			r.line(`{"command":"getPeer","reqId":"r"}`)
			if m := r.message(); m["transport"] != nil {
				t.Errorf("offered %v", m)
			}
		}
		// What a sibling asks that has not heard of it yet.
		l := func() *link {
			seeds[1].mu.Lock()
			defer seeds[1].mu.Unlock()
			for l := range seeds[1].mesh.links {
				if l.p.hello.instance == seeds[0].Instance() {
					l.draining = false
					return l
				}
			}
			t.Fatal("no link")
			return nil
		}()
		asker.line(`{"command":"getPeer","reqId":"r"}`)
		if m := asker.message(); m["transport"] != nil {
			t.Errorf("offered %v", m)
		}
		if l.p.isClosed() {
			t.Error("the link has ended before the peers have gone")
		}
		stays.conn.Close()
		start := time.Now()
		if err := <-drained; err != nil || time.Since(start) > closeLinger+time.Second {
			t.Errorf("took %v: %v", time.Since(start), err)
		}
		synctest.Wait()
		if !l.p.isClosed() {
			t.Error("the link stands")
		}
	})
}

func TestGoAway(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.seed("203.0.113.1")
		r := w.dialRaw("198.51.100.1", n).shakeExtended("goaway")
		p := n.next()
		asker := w.dialRaw("198.51.100.2", n).shakeV0("")
		select {
		case <-p.GoingAway():
			t.Error("goes away before it has said so")
		default:
		}
		r.line(`{"command":"goaway","addresses":["wss://seed.example","tcp://127.0.0.1:22","ws://10.0.0.1","ws://LocalHost.:80","wss://x.localhost","http://a","ws://192.0.2.9","wss://[fe80::1%%25eth0]"],"within":5000}`)
		<-p.GoingAway()
		r.line(`{"command":"goaway","addresses":["wss://other.example"],"within":9000}`)
		synctest.Wait()
		if got, until := p.Elsewhere(); !slices.Equal(got, []string{"wss://seed.example", "ws://192.0.2.9"}) || time.Until(until) != 5*time.Second {
			t.Errorf("elsewhere is %q until %v", got, until)
		}
		// It is offered to nobody any more, whatever it says.
		r.line(`{"command":"unaccept","transport":"webrtc"}`)
		r.line(`{"command":"accept","transport":"webrtc"}`)
		asker.line(`{"command":"getPeer","reqId":"r"}`)
		if m := asker.message(); m["transport"] != nil {
			t.Errorf("offered %v", m)
		}
		// And asked for nobody as long as there are others.
		for range 10 {
			if peers := n.randomPeers(); len(peers) != 2 || peers[1] != p {
				t.Fatal("who goes away is asked first")
			}
		}
	})
}

// A node that has not said that it knows goaway says nothing with it.
func TestGoAwayUnannounced(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.seed("10.0.0.1")
		r := w.dialRaw("10.0.0.2", n).shakeV0("")
		p := n.next()
		r.line(`{"command":"goaway","addresses":["wss://seed.example"],"within":5000}`)
		if got, _ := p.Elsewhere(); r.closed() || got != nil {
			t.Errorf("elsewhere is %q", got)
		}
	})
}

// Nobody who was dialed with TLS sends this node where there is none.
func TestGoAwayKeepsTLS(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.node("10.0.0.2").connect(w.seed("10.0.0.1"))
		p.dialed = "tls://10.0.0.1:1000"
		for address, want := range map[string]bool{"ws://10.0.0.3": false, "tcp://10.0.0.3:1": false, "wss://10.0.0.3": true, "tls://10.0.0.3:1": true} {
			if p.mayLeadTo(address) != want {
				t.Errorf("%s: want %t", address, want)
			}
		}
	})
}
