package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// noWay is a transport that finds none.
type noWay struct {
	transports.Negotiator
	patient bool // and looks for it as long as it may
}

var errNoWay = errors.New("no way")

func (n noWay) Negotiate(ctx context.Context, role transports.Role, signals transports.Signaling) (net.Conn, error) {
	if n.patient {
		if role == transports.Initiator {
			signals.Send(ctx, json.RawMessage(`{"type":"offer","sdp":`+quoted(offerSDP)+`}`))
		}
		<-ctx.Done()
	}
	return nil, errNoWay
}

func findsNoWay(patient bool) func(*Config) {
	return func(cfg *Config) {
		cfg.Transports[1] = noWay{cfg.Transports[1].(transports.Negotiator), patient}
	}
}

func relaysData(cfg *Config) { cfg.AllowRelayedData = true }

// cutOff is two nodes that find no way to each other, and a seed.
type cutOff struct {
	seed, asker, candidate *node
	askerLink, link        *Peer // their connections to the seed
}

func (w *world) cutOff(seed, asker, candidate []func(*Config)) *cutOff {
	w.t.Helper()
	c := &cutOff{seed: w.seed("10.0.0.1", seed...), asker: w.node("10.0.1.1", asker...), candidate: w.node("10.0.2.1", candidate...)}
	c.candidate.accept(transports.WebRTC, 0)
	c.link, c.askerLink = c.candidate.connect(c.seed), c.asker.connect(c.seed)
	c.candidate.next()
	c.asker.next()
	return c
}

// meet connects the two through the seed.
func (c *cutOff) meet() (p, other *Peer) {
	c.asker.t.Helper()
	p, err := c.askerLink.GetNewPeer(ctx)
	if err != nil {
		c.asker.t.Fatal(err)
	}
	c.asker.next()
	return p, c.candidate.next()
}

func (w *world) relayedPair(seed ...func(*Config)) (*cutOff, *Peer, *Peer) {
	w.t.Helper()
	end := []func(*Config){relaysData, findsNoWay(false)}
	c := w.cutOff(append(seed, relaysData), end, end)
	p, other := c.meet()
	return c, p, other
}

// TestRelayedData has each end fail in its own time.
func TestRelayedData(t *testing.T) {
	for _, asker := range []bool{false, true} {
		for _, candidate := range []bool{false, true} {
			t.Run(fmt.Sprintf("patient %t %t", asker, candidate), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					c := w.cutOff([]func(*Config){relaysData}, []func(*Config){relaysData, findsNoWay(asker)}, []func(*Config){relaysData, findsNoWay(candidate)})
					start := time.Now()
					p, other := c.meet()
					want := time.Duration(0)
					if asker && candidate {
						want = maxAttempt
					}
					if took := time.Since(start); took < want || took > want+time.Second {
						t.Errorf("took %v, want %v", took, want)
					}
					for _, end := range []*Peer{p, other} {
						if end.Transport() != Relay || end.Path() != PathRelay || end.Path().String() != "relay" || end.RemoteAddress() != "" {
							t.Errorf("an end is %s, path %v, of %q", end.Transport(), end.Path(), end.RemoteAddress())
						}
					}
					if !p.Outgoing() || other.Outgoing() {
						t.Error("the asker is not the outgoing side")
					}
					talk(t, p, other)
					time.Sleep(10 * time.Minute) // longer than signaling, and idle
					talk(t, p, other)
					s := c.seed.Stats()
					if s.Relays != 0 || s.RelaysOpened != 1 || s.DataRelays != 1 || s.DataRelaysOpened != 1 || s.DataRelayBytes == 0 {
						t.Errorf("the seed counts %+v", s)
					}
					for _, at := range c.seed.Peers() {
						if n := at.relays.Load(); n != 1 {
							t.Errorf("the relay counts %d times against %s", n, at.RemoteAddress())
						}
					}

					// What was written before the end arrives.
					last := []byte(strings.Repeat("x", dataBurst))
					go func() { p.Write(last); p.Close() }()
					if got, err := io.ReadAll(other); err != nil || !slices.Equal(got, last) {
						t.Errorf("got %d bytes before the end, %v", len(got), err)
					}
					time.Sleep(closeLinger)
					synctest.Wait()
					if s := c.seed.Stats(); s.DataRelays != 0 || len(s.Refused) != 0 {
						t.Errorf("after the end the seed counts %+v", s)
					}
					if len(c.seed.Peers()) != 2 {
						t.Error("a connection to the seed was lost")
					}
				})
			})
		}
	}
}

// TestRelayedDataIsAgreedOn takes the permission away from one of three.
func TestRelayedDataIsAgreedOn(t *testing.T) {
	for i, who := range []string{"seed", "asker", "candidate"} {
		t.Run(who, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				end := []func(*Config){relaysData, findsNoWay(false)}
				configs := [][]func(*Config){{relaysData}, end, end}
				configs[i] = slices.DeleteFunc(slices.Clone(configs[i]), func(f func(*Config)) bool {
					cfg := Config{Transports: make([]transports.Transport, 3)}
					cfg.Transports[1] = noWay{}
					f(&cfg)
					return cfg.AllowRelayedData
				})
				c := w.cutOff(configs[0], configs[1], configs[2])
				if p, err := c.askerLink.GetNewPeer(ctx); !errors.Is(err, errNoWay) {
					t.Errorf("got %v, %v", p, err)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if s := c.seed.Stats(); s.DataRelaysOpened != 0 || len(s.Refused) != 0 {
					t.Errorf("the seed counts %+v", s)
				}
			})
		})
	}
}

// TestRelayedDataEndsWithEitherLink cuts each of the connections that it is on.
func TestRelayedDataEndsWithEitherLink(t *testing.T) {
	for _, cut := range []func(*cutOff){
		func(c *cutOff) { c.askerLink.Close() },
		func(c *cutOff) { c.link.Close() },
		func(c *cutOff) { c.seed.Close() },
		func(c *cutOff) {
			for _, p := range c.seed.Peers() {
				p.Close()
			}
		},
	} {
		inWorld(t, func(t *testing.T, w *world) {
			c, p, other := w.relayedPair()
			cut(c)
			<-p.Done()
			<-other.Done()
			synctest.Wait()
			if _, err := p.Read(make([]byte, 1)); err == nil {
				t.Error("there is something to read")
			}
			if n := c.seed.Stats().DataRelays; n != 0 {
				t.Errorf("%d relays are left", n)
			}
		})
	}
}

// TestRelayedDataToASlowReader has nothing but itself wait for an application that
// does not read, and keeps to the rate then.
func TestRelayedDataToASlowReader(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c, p, other := w.relayedPair()
		sent := []byte(strings.Repeat("0123456789abcdef", 200<<10/16))
		written := make(chan error, 1)
		go func() {
			_, err := p.Write(sent)
			written <- err
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := c.seed.Stats().DataRelayBytes; n > dataWindow+4<<10 {
			t.Errorf("%d bytes were passed on to who does not read", n)
		}
		// Both links are of use meanwhile, and the other direction too.
		for _, at := range []*Peer{c.link, c.askerLink} {
			if _, err := at.GetNewPeer(ctx); !errors.Is(err, ErrNoCandidates) {
				t.Errorf("getPeer: %v", err)
			}
		}
		start := time.Now()
		if _, err := io.WriteString(other, "back"); err != nil {
			t.Fatal(err)
		}
		back := make([]byte, 4)
		if _, err := io.ReadFull(p, back); err != nil || time.Since(start) > time.Second {
			t.Errorf("read %q after %v, %v", back, time.Since(start), err)
		}

		start = time.Now()
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(other, got); err != nil || !slices.Equal(got, sent) {
			t.Fatal("what was sent did not arrive", err)
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
		perSecond := DefaultLimits().RelayDataBytesPerSecond
		left := len(sent) - dataWindow - dataBurst
		if took, least := time.Since(start), time.Duration(left/perSecond)*time.Second; took < least || took > 2*least {
			t.Errorf("took %v, want about %v", took, least)
		}
		if s := c.seed.Stats(); len(s.Refused) != 0 || s.DataRelays != 1 {
			t.Errorf("the seed counts %+v", s)
		}
	})
}

// TestRelayedDataLimits ends connections that have had enough.
func TestRelayedDataLimits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c, p, other := w.relayedPair(limited("relay-data-bytes", "64KiB"))
		go p.Write(make([]byte, 1<<20))
		n, err := io.Copy(io.Discard, other)
		<-p.Done()
		if n > 64<<10 || n < 48<<10 {
			t.Errorf("got %d bytes, %v", n, err)
		}
		synctest.Wait()
		if s := c.seed.Stats(); s.Refused["relay-data-bytes"] != 1 || s.DataRelays != 0 || len(c.seed.Peers()) != 2 {
			t.Errorf("the seed counts %+v", s)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		c, p, other := w.relayedPair(limited("relay-data-time", "20m"))
		time.Sleep(19 * time.Minute)
		talk(t, p, other)
		time.Sleep(time.Minute)
		<-p.Done()
		<-other.Done()
		synctest.Wait()
		if n := c.seed.Stats().DataRelays; n != 0 {
			t.Errorf("%d relays are left", n)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		// The data relay needs a place beside the one that it follows.
		end := []func(*Config){relaysData, findsNoWay(false)}
		c := w.cutOff([]func(*Config){relaysData, limited("relays-per-peer", "1")}, end, end)
		if p, err := c.askerLink.GetNewPeer(ctx); err == nil {
			t.Errorf("got %v", p)
		}
		time.Sleep(time.Minute)
		if s := c.seed.Stats(); s.Refused["relays-per-peer"] == 0 || s.DataRelays != 0 || s.Relays != 0 {
			t.Errorf("the seed counts %+v", s)
		}
	})
}

// TestRelayedDataEnds has more pairs find no way than a node carries.
func TestRelayedDataEnds(t *testing.T) {
	for _, test := range []struct{ limit, value, refused string }{
		{"relay-data-ends", "2", "relay-data-ends"},
		{"relay-data-ends", "3", "relay-data-ends"},
		{"relay-data-ends-per-ip", "1", "relay-data-ends-per-ip"},
	} {
		inWorld(t, func(t *testing.T, w *world) {
			c, first, _ := w.relayedPair(limited(test.limit, test.value))
			another := w.node("10.0.1.1", relaysData, findsNoWay(false))
			link := another.connect(c.seed)
			another.next()
			if p, err := link.GetNewPeer(ctx); err == nil {
				t.Errorf("%s=%s: carried %v", test.limit, test.value, p)
			}
			synctest.Wait()
			if s := c.seed.Stats(); s.Refused[test.refused] == 0 || s.DataRelays != 1 {
				t.Errorf("%s=%s: the seed counts %+v", test.limit, test.value, s)
			}
			first.Close()
			time.Sleep(time.Minute)
			if _, err := link.GetNewPeer(ctx); err != nil {
				t.Errorf("%s=%s: afterwards: %v", test.limit, test.value, err)
			}
		})
	}
}

const helloRelayed = `{"command":"hello","id":"net","version":0,"accepts":{%s},"transports":["webrtc"],"ext":{"agent":"x","instance":"%s","features":["relayed"]}}`

// rawCutOff is a relay between two raw ends that know relayed, with what the
// candidate was told.
func (w *world) rawCutOff(seed *node) (asker, candidate *raw, nonce string) {
	w.t.Helper()
	candidate = w.dialRaw("10.0.2.1", seed).listen(false)
	asker = w.dialRaw("10.0.1.1", seed).listen(false)
	for r, accepts := range map[*raw]string{candidate: `"webrtc":true`, asker: ""} {
		r.write(opens(0, "pxp"))
		r.line(helloRelayed, accepts, newID())
		r.line(`{"command":"helloack"}`)
		synctest.Wait()
		r.forget()
	}
	asker.line(`{"command":"getPeer","reqId":"r"}`)
	for _, r := range []*raw{asker, candidate} {
		m := r.message()
		if m["relayed"] != float64(seed.limits.RelayDataBytesPerSecond) {
			w.t.Fatalf("told %v", m)
		}
		nonce = m["nonce"].(string)
		r.write(opens(2, "relay:"+nonce))
	}
	return asker, candidate, nonce
}

const agreedLine = `{"relayed":true}` + "\n"

// TestRelayedDataOfFlooders has ends that keep to nothing.
func TestRelayedDataOfFlooders(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", relaysData)
		asker, candidate, nonce := w.rawCutOff(seed)
		asker.write(data(2, agreedLine))
		if got, _ := candidate.came("relay:" + nonce); got != agreedLine {
			t.Fatalf("the candidate got %q", got)
		}
		if seed.Stats().DataRelays != 0 {
			t.Fatal("one end was enough")
		}
		candidate.write(data(2, agreedLine) + opens(4, "relayed:"+nonce) + data(4, "at once"))
		if got, ended := asker.came("relay:" + nonce); got != agreedLine || !ended {
			t.Fatalf("the asker got %q, end %t", got, ended)
		}
		if got, _ := asker.came("relayed:" + nonce); got != "at once" {
			t.Fatalf("the asker got %q", got)
		}
		asker.write(opens(4, "relayed:"+nonce))
		for range 20 {
			asker.write(data(4, strings.Repeat("x", 16<<10)))
			candidate.came("relayed:" + nonce) // or the queue would be full first
		}
		// Neither is held up.
		asker.line(`{"command":"getPeer","reqId":"again"}`)
		if m := asker.message(); m["command"] != "again" {
			t.Errorf("getPeer got %v", m)
		}
		_, ended := candidate.came("relayed:" + nonce)
		if s := seed.Stats(); !ended || s.DataRelays != 0 || s.Refused["relay-data-bytes-per-second"] != 1 || len(seed.Peers()) != 2 {
			t.Errorf("end %t, the seed counts %+v", ended, s)
		}
	})
}

// TestRelayedDataNeedsBothWords has ends say something else.
func TestRelayedDataNeedsBothWords(t *testing.T) {
	for name, say := range map[string]string{
		"twice": agreedLine + agreedLine, "data": agreedLine + "data\n", "a signal": agreedLine + `{"candidate":{"candidate":"","sdpMLineIndex":0,"sdpMid":"0"}}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1", relaysData)
				asker, candidate, nonce := w.rawCutOff(seed)
				asker.write(data(2, say))
				got, _ := candidate.came("relay:" + nonce)
				if s := seed.Stats(); got != "" || s.Refused["signal"] != 1 || s.Relays != 0 {
					t.Errorf("%q was passed on, the seed counts %+v", got, s)
				}
			})
		})
	}
	inWorld(t, func(t *testing.T, w *world) {
		// npm nodes are told nothing of it, and what is no signal does not get to them.
		in := introduce(w, relaysData)
		in.asker.write(data(2, agreedLine))
		if got, _ := in.candidate.came("relay:" + in.nonce); got != "" {
			t.Errorf("a npm node got %q", got)
		}
	})
}

// TestRelayedDataWithoutWindow turns away an end that could hold up the connection
// to the seed.
func TestRelayedDataWithoutWindow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", relaysData)
		candidate := w.node("10.0.2.1", relaysData, findsNoWay(false))
		candidate.accept(transports.WebRTC, 0)
		candidate.connect(seed)
		r := w.dialRaw("10.0.1.1", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(helloRelayed, "", newID())
		r.line(`{"command":"helloack"}`)
		synctest.Wait()
		r.forget()
		r.line(`{"command":"getPeer","reqId":"r"}`)
		nonce := r.message()["nonce"].(string)
		r.write(opens(2, "relay:"+nonce) + data(2, agreedLine))
		synctest.Wait()
		inner := opens(0, "pxp") + data(0, fmt.Sprintf(helloRelayed, "", newID())+"\n")
		r.write(opens(4, "relayed:"+nonce) + data(4, inner))
		time.Sleep(closeLinger)
		if _, ended := r.came("relayed:" + nonce); !ended || len(candidate.Peers()) != 1 {
			t.Errorf("end %t, the candidate has %d peers", ended, len(candidate.Peers()))
		}
		candidate.mu.Lock()
		defer candidate.mu.Unlock()
		if !slices.ContainsFunc(candidate.errors, func(err error) bool { return errors.Is(err, ErrProtocol) }) {
			t.Errorf("reported %v", candidate.errors)
		}
	})
}

// TestShutdownWaitsForRelayedData drains a node that data passes through.
func TestShutdownWaitsForRelayedData(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c, p, other := w.relayedPair()
		sent := make([]byte, 100<<10)
		go p.Write(sent)
		ended := make(chan error, 1)
		go func() { ended <- c.seed.Shutdown(ctx) }()
		if _, err := io.ReadFull(other, make([]byte, len(sent))); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		<-p.Done()
	})
}

func TestRelayIsNoTransport(t *testing.T) {
	if _, err := New("net", Config{Transports: []transports.Transport{named(Relay)}}); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("a transport named relay: %v", err)
	}
}

type named string

func (n named) Name() string { return string(n) }

// Nobody sees where a relayed connection comes from, so it counts for whoever carries it,
// who else could bring any number of peers.
func TestRelayedConnectionsCountForTheCarrier(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		end := []func(*Config){relaysData, findsNoWay(false)}
		c := w.cutOff([]func(*Config){relaysData}, end, append(end, limited("peers-per-ip", "1")))
		_, first := c.meet()
		if want := ownedBy(c.link.addr); first.owner != want {
			t.Errorf("the relayed peer counts for %v, want %v", first.owner, want)
		}
		late := w.node("10.0.1.2", end...)
		if p, err := late.connect(c.seed).GetNewPeer(ctx); err == nil {
			t.Errorf("another one is connected over %s", p.Transport())
		}
		synctest.Wait()
		if got := c.candidate.Stats().Refused["peers-per-ip"]; got == 0 || len(c.candidate.Peers()) != 2 {
			t.Errorf("refused %d, and there are %d peers, want the seed and one more", got, len(c.candidate.Peers()))
		}
		first.Close()
		synctest.Wait()
		time.Sleep(closeLinger)
		if p, err := late.GetNewPeer(ctx); err != nil || p.Transport() != Relay {
			t.Errorf("when there is room: %v", err)
		}
	})
}
