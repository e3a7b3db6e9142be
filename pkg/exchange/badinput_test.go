package exchange

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// badInput is what a peer sends that it should not.
type badInput struct {
	name  string
	send  func(*raw)
	ends  bool
	count string // of Stats.Refused
}

// isOf tells whether an application can see from an error what it is counted as.
func (b badInput) isOf(err error) bool {
	if b.count == "" {
		return err == nil
	}
	return errors.Is(err, ErrProtocol) == (b.count == "protocol") && errors.Is(err, ErrLimit) == (b.count != "protocol") && reasonOf(err) == b.count
}

// What ends a connection, and what is shrugged off. In every case the sender
// alone pays: a well-behaved peer beside it stays and is still served.
func TestBadInput(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	const ends, stays = true, false
	tests := []badInput{
		{"varint that does not end", func(r *raw) { r.write(strings.Repeat("\x80", 101)) }, ends, "protocol"},
		{"varint of 65 bits", func(r *raw) { r.write(strings.Repeat("\xff", 9) + "\x7f") }, ends, "protocol"},
		{"frame of a terabyte", func(r *raw) { r.write("\x02\x80\x80\x80\x80\x80\x80\x80\x01") }, ends, "protocol"},
		{"channel name of 100 kB", func(r *raw) { r.write(opens(9, long)) }, ends, "channel-name-bytes"},
		{"line of 100 kB", func(r *raw) { r.line(`{"command":"%s"}`, long) }, ends, "control-message-bytes"},
		{"line that does not end", func(r *raw) { r.write(data(0, long)) }, ends, "control-message-bytes"},
		{"no JSON", func(r *raw) { r.line(`{"command":`) }, ends, "protocol"},
		{"binary", func(r *raw) { r.line("\x00\xff\xfe") }, ends, "protocol"},
		{"second hello", func(r *raw) { r.line(helloV0, "") }, ends, "protocol"},
		{"second helloack", func(r *raw) { r.line(`{"command":"helloack"}`) }, ends, "protocol"},
		{"credit without the extension", func(r *raw) { r.line(`{"command":"credit","bytes":5}`) }, ends, "protocol"},
		{"null", func(r *raw) { r.line("null") }, stays, ""},
		{"scalars and arrays", func(r *raw) { r.line("1\n\"x\"\n[]\n[[]]\ntrue") }, stays, ""},
		{"unknown command", func(r *raw) { r.line(`{"command":"dance","style":"tango"}`) }, stays, ""},
		{"no command", func(r *raw) { r.line(`{}`) }, stays, ""},
		{"blank lines and CRLF", func(r *raw) { r.write(data(0, "\r\n\n\r\n{}\r\n")) }, stays, ""},
		{"empty frame", func(r *raw) { r.write(data(0, "")) }, stays, ""},
		{"frame of type 7", func(r *raw) { r.write(frame(0, 7, "x")) }, stays, ""},
		{"data on a channel that is not open", func(r *raw) { r.write(data(77, long)) }, stays, ""},
		{"data on a channel that this side opened", func(r *raw) { r.write(frame(0, mux.TypeReceiverData, long)) }, stays, ""},
		{"open of a name that nobody waits for", func(r *raw) { r.write(opens(5, "relay:none") + data(5, long)) }, stays, ""},
		{"flood of opens", func(r *raw) {
			for id := range uint64(2000) {
				r.write(opens(100+id, "relay:flood"))
			}
		}, stays, ""},
		{"second open of pxp", func(r *raw) { r.write(opens(6, "pxp") + data(6, "nonsense\n")) }, stays, ""},
		{"data after end", func(r *raw) {
			r.write(opens(1, "data") + data(1, "x") + frame(1, mux.TypeEnd, "") + data(1, "y") + frame(1, mux.TypeEnd, ""))
		}, stays, ""},
		{"destroy of data", func(r *raw) { r.write(opens(1, "data") + frame(1, mux.TypeDestroy, "boom")) }, stays, ""},
		{"destroy of a channel that this side opened", func(r *raw) { r.write(frame(1, mux.TypeReceiverDestroy, "boom")) }, stays, ""},
		{"destroy of unknown channels", func(r *raw) { r.write(frame(40, mux.TypeDestroy, "") + frame(41, mux.TypeReceiverDestroy, "")) }, stays, ""},
		{"incoming for what is not accepted", func(r *raw) {
			r.line(`{"command":"incoming","nonce":"a","transport":"webrtc"}`)
			r.line(`{"command":"incoming","nonce":"b","transport":"tcp"}`)
		}, stays, ""},
		{"answer that nobody asked for", func(r *raw) {
			r.line(`{"command":"b08a2df65e5ec66392da42c4dde6be6c","transport":"webrtc","opts":true,"address":"::1","nonce":"a8"}`)
		}, stays, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1")
				good := w.dialRaw("10.0.0.2", seed).shakeV0("")
				seed.next()
				bad := w.dialRaw("10.0.0.3", seed).shakeV0(`"webrtc":true`)
				peer := seed.next()
				test.send(bad)
				if got := bad.closed(); got != test.ends {
					t.Errorf("closed: %v, want %v", got, test.ends)
				}
				if test.count != "" && seed.Stats().Refused[test.count] != 1 {
					t.Errorf("refused %v, want %s", seed.Stats().Refused, test.count)
				}
				if err := peer.Err(); !test.isOf(err) {
					t.Errorf("the peer ended with %v, which is counted as %q", err, test.count)
				}
				if !test.ends {
					bad.line(`{"command":"getPeer","reqId":"r1"}`)
					if m := bad.message(); m["command"] != "r1" {
						t.Errorf("getPeer afterwards: %v", m)
					}
				}
				if bad.destroyed() || good.destroyed() {
					t.Error("the seed sent frames of types that drop JavaScript nodes")
				}
				good.line(`{"command":"getPeer","reqId":"r2"}`)
				if m := good.message(); m["command"] != "r2" || (m["transport"] == nil) != test.ends {
					t.Errorf("the other peer got %v", m)
				}
			})
		})
	}
}

func TestBadHandshake(t *testing.T) {
	tests := []struct {
		name, send, count string
		err               error
	}{
		{"another network", `{"command":"hello","id":"other","version":0,"accepts":{},"transports":[]}`, "network", ErrNetworkMismatch},
		{"version as a string", `{"command":"hello","id":"net","version":"0","accepts":{},"transports":[]}`, "protocol", ErrProtocol},
		{"version 1", `{"command":"hello","id":"net","version":1,"accepts":{},"transports":[]}`, "version", ErrVersionMismatch},
		{"accepts is an array", `{"command":"hello","id":"net","version":0,"accepts":[],"transports":[]}`, "protocol", ErrProtocol},
		{"transports is a string", `{"command":"hello","id":"net","version":0,"accepts":{},"transports":"tcp"}`, "protocol", ErrProtocol},
		{"no JSON", `hello`, "protocol", ErrProtocol},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1")
				r := w.dialRaw("10.0.0.2", seed).listen(false)
				r.write(opens(0, "pxp"))
				r.line("%s", test.send)
				if strings.Contains(r.control(), "helloack") {
					t.Error("the seed acknowledged it")
				}
				time.Sleep(closeLinger)
				if !r.closed() {
					t.Error("still connected")
				}
				if got := seed.Stats(); got.Refused[test.count] != 1 || got.Handshakes != 0 {
					t.Errorf("refused %v, want %s", got.Refused, test.count)
				}
				if len(seed.errors) != 1 || !errors.Is(seed.errors[0], test.err) {
					t.Errorf("reported %v, want %v", seed.errors, test.err)
				}
			})
		})
	}
}

// A v0 hello may lack accepts and transports; such a peer can dial nothing and
// is offered to nobody.
func TestMinimalHello(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		w.dialRaw("10.0.0.3", seed).shakeV0(`"webrtc":true,"tcp":{"port":1}`)
		r := w.dialRaw("10.0.0.2", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(`{"command":"hello","id":"net","version":0}`)
		r.line(`{"command":"helloack"}`)
		r.take()
		r.line(`{"command":"getPeer","reqId":"r"}`)
		if m := r.message(); m["transport"] != nil {
			t.Errorf("offered %v", m)
		}
	})
}

func TestMessagesBeforeHandshakeAreLost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		r := w.dialRaw("10.0.0.2", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(`{"command":"getPeer","reqId":"early"}`)
		r.line(`{"command":"accept","transport":"webrtc"}`)
		r.line(helloV0, "")
		r.line(`{"command":"helloack"}`)
		if strings.Contains(r.control(), "early") {
			t.Error("a getPeer before the handshake was answered")
		}
		other := w.dialRaw("10.0.0.3", seed).shakeV0("")
		other.line(`{"command":"getPeer","reqId":"r"}`)
		if m := other.message(); m["transport"] != nil {
			t.Errorf("offered %v, announced before the handshake", m)
		}
	})
}

func TestBadFirstBytes(t *testing.T) {
	for name, bytes := range map[string]string{
		"half a magic":       "#PX",
		"another magic":      "#PXQ#....",
		"silence":            "",
		"one byte at a time": "\x00",
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1")
				r := w.dialRaw("10.0.0.2", seed).listen(false)
				for _, b := range []byte(bytes) {
					r.write(string(b))
					time.Sleep(time.Second)
				}
				time.Sleep(11 * time.Second)
				if !r.closed() {
					t.Error("still connected after the handshake time")
				}
				if stats := seed.Stats(); stats.Refused["handshake-time"]+stats.Refused["protocol"] != 1 {
					t.Errorf("refused %v", stats.Refused)
				}
			})
		})
	}
}

// A peer that stops reading is ended when its queue is full, and its neighbours
// do not notice.
func TestPeerThatDoesNotRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", limited("getpeer-per-second", "unlimited"))
		good := w.dialRaw("10.0.0.3", seed).shakeV0(`"webrtc":true`)
		deaf := w.dialRaw("10.0.0.2", seed) // never listens
		go func() {
			deaf.write(opens(0, "pxp"))
			deaf.line(helloV0, "")
			deaf.line(`{"command":"helloack"}`)
			for range 20_000 {
				deaf.write(data(0, `{"command":"getPeer","reqId":"b08a2df65e5ec66392da42c4dde6be6c"}`+"\n"))
			}
		}()
		time.Sleep(2 * time.Minute)
		if got := seed.Stats().Refused["outbound-queue-bytes"]; got != 1 {
			t.Errorf("refused %v", seed.Stats().Refused)
		}
		if good.closed() || len(seed.Peers()) != 1 {
			t.Error("the well-behaved peer is gone")
		}
		deaf.conn.Close()
	})
}

// A connection whose other end vanished without a word is found by ping.
func TestPingFindsDeadPeer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		alive := w.node("10.0.0.2")
		p := alive.connect(seed)
		dead := w.dialRaw("10.0.0.3", seed).listen(false)
		dead.write(opens(0, "pxp"))
		dead.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"agent":"x","instance":"%s","features":["ping"]}}`, newID())
		dead.line(`{"command":"helloack"}`)
		synctest.Wait()
		if len(seed.Peers()) != 2 {
			t.Fatalf("%d peers", len(seed.Peers()))
		}
		time.Sleep(3 * time.Minute)
		if got := seed.Stats().Refused["unresponsive"]; got != 1 || !dead.closed() {
			t.Errorf("refused %v", seed.Stats().Refused)
		}
		if p.Err() != nil || len(seed.Peers()) != 1 {
			t.Error("a peer that answers pings was disconnected")
		}
	})
}

// An npm client that reads no application data stops its connection and loses
// nothing; a node of this module stops the data only.
func TestUnreadData(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := w.seed("10.0.0.1", limited("receive-buffer-bytes", "64KiB"))
		a := w.node("10.0.0.2")
		ours := a.connect(b)
		theirs := b.next()
		sent := make(chan int, 1)
		go func() {
			n, err := ours.Write(make([]byte, 1<<20))
			if err != nil {
				t.Error(err)
			}
			sent <- n
		}()
		time.Sleep(time.Minute)
		if ours.Err() != nil || theirs.Err() != nil {
			t.Fatalf("%v, %v", ours.Err(), theirs.Err())
		}
		select {
		case <-sent:
			t.Fatal("more than the window was taken")
		default:
		}
		// The control channel still works both ways.
		if _, err := ours.GetNewPeer(ctx); !strings.Contains(err.Error(), ErrNoCandidates.Error()) {
			t.Error(err)
		}
		got := 0
		buf := make([]byte, 10_000)
		for got < 1<<20 {
			n, err := theirs.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
		if n := <-sent; n != 1<<20 {
			t.Errorf("wrote %d", n)
		}

		npm := w.dialRaw("10.0.0.3", b).shakeV0("")
		p := b.next()
		done := make(chan struct{})
		go func() {
			defer close(done)
			npm.write(opens(1, "data"))
			for range 16 {
				npm.write(data(1, strings.Repeat("x", 16<<10)))
			}
			npm.line(`{"command":"getPeer","reqId":"r"}`)
		}()
		synctest.Wait()
		if got := p.stream.buf.len(); got != 64<<10 {
			t.Errorf("%d bytes are held", got)
		}
		for got := 0; got < 16*16<<10; {
			n, err := p.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
		<-done
		if m := npm.message(); m["command"] != "r" {
			t.Errorf("got %v", m)
		}
	})
}

func TestConnectTimesOut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mute := w.node("10.0.0.1")
		l, err := mute.transports[transports.TCP].(transports.Listener).Listen(ctx, transports.Options{Port: 1000, Host: mute.host})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		a := w.node("10.0.0.2")
		start := time.Now()
		_, err = a.Connect(ctx, transports.TCP, mute.host, transports.Options{Port: 1000})
		if err == nil || !strings.Contains(err.Error(), ErrHandshakeTimeout.Error()) || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
