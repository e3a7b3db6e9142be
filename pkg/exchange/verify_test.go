package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/memory"
)

// verifies makes a node one that checks candidates.
func verifies(cfg *Config) { cfg.VerifyCandidates = true }

// listener is what answers at a place in a hand-made way.
type listener struct {
	net.Listener
	mu sync.Mutex
	// Guarded by mu.
	open  int      // connections
	came  int      // the same, those that ended too
	ended []string // what each said until it ended
}

// listen has somebody listen on tcp who greets with what is given, if anything.
func (w *world) listen(host string, port int, greeting string) *listener {
	w.t.Helper()
	inner, err := w.network.New(memory.Config{Name: transports.TCP, Address: host}).Listen(ctx, transports.Options{Port: port})
	if err != nil {
		w.t.Fatal(err)
	}
	l := &listener{Listener: inner}
	w.t.Cleanup(func() { inner.Close() })
	go func() {
		for {
			conn, err := inner.Accept()
			if err != nil {
				return
			}
			l.mu.Lock()
			l.open++
			l.came++
			l.mu.Unlock()
			go l.serve(conn, greeting)
		}
	}()
	return l
}

func (l *listener) serve(conn net.Conn, greeting string) {
	defer conn.Close()
	io.WriteString(conn, greeting)
	said, err := io.ReadAll(conn)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	l.ended = append(l.ended, fmt.Sprintf("%s %v", said, err))
}

func (l *listener) counts() (open, came int) {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open, l.came
}

// npmHello is what a published node says to whoever connects, and npmGreeting what
// it says to whoever answers.
func npmHello(network string) string {
	return opens(0, "pxp") + data(0, fmt.Sprintf(`{"command":"hello","id":%q,"version":0,"accepts":{},"transports":["tcp"]}`, network)+"\n")
}

func npmGreeting(network string) string {
	return npmHello(network) + data(0, `{"command":"helloack"}`+"\n")
}

// offered tells whether the seed has a candidate for a newcomer.
func (w *world) offered(seed *node) bool {
	w.t.Helper()
	asker := w.dialRaw("10.0.9.9", seed).shakeV0("")
	defer asker.conn.Close()
	asker.line(`{"command":"getPeer","reqId":"r"}`)
	return asker.message()["transport"] != nil
}

func (n *node) checks(t *testing.T, want map[CheckResult]uint64) {
	t.Helper()
	synctest.Wait()
	if got := n.Stats().Checks; !maps.Equal(got, want) {
		t.Errorf("checks came out as %v, want %v", got, want)
	}
}

func TestNothingIsCheckedUnlessAsked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		w.dialRaw("10.0.0.2", seed).shakeV0(`"tcp":{"port":2000}`)
		if !w.offered(seed) {
			t.Error("the candidate is not offered")
		}
		seed.checks(t, nil)
	})
}

func TestCandidateOfThisModuleIsChecked(t *testing.T) {
	for _, transport := range []string{transports.TCP, transports.WebSocket} {
		inWorld(t, func(t *testing.T, w *world) {
			seed := w.seed("10.0.0.1", verifies)
			candidate := w.node("10.0.0.2")
			toSeed := candidate.connect(seed)
			candidate.next()
			candidate.accept(transport, 2000)
			synctest.Wait()
			p, err := w.newcomer("10.0.0.3", seed).GetNewPeer(ctx)
			if err != nil || p.Instance() != candidate.Instance() {
				t.Fatalf("met %v, %v", p, err)
			}
			if candidate.next().RemoteAddress() != "10.0.0.3" {
				t.Error("the check made a peer")
			}
			// The candidate and the seed have the one connection that they had.
			select {
			case <-toSeed.Done():
				t.Errorf("the check ended the connection: %v", toSeed.Err())
			default:
			}
			candidate.mu.Lock()
			defer candidate.mu.Unlock()
			if len(candidate.errors) != 0 {
				t.Errorf("the application was told %v", candidate.errors)
			}
			seed.checks(t, map[CheckResult]uint64{CheckPassed: 1})
		})
	}
}

func (w *world) newcomer(host string, seed *node) *node {
	w.t.Helper()
	n := w.node(host)
	n.connect(seed)
	n.next()
	return n
}

// A node that takes members only says who it is before it hangs up.
func TestCandidateForMembersIsChecked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies)
		candidate := w.node("10.0.0.2", func(cfg *Config) {
			cfg.Admit = func(Credentials) (func() bool, error) { return nil, ErrUnauthorized }
		})
		candidate.accept(transports.TCP, 2000)
		candidate.connect(seed)
		seed.checks(t, map[CheckResult]uint64{CheckPassed: 1})
	})
}

// A published node is told of nothing that would make a peer of the connection,
// and it is closed in order.
func TestPublishedCandidateIsChecked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies)
		l := w.listen("10.0.0.2", 2000, npmGreeting("net"))
		w.dialRaw("10.0.0.2", seed).shakeV0(`"tcp":{"port":2000}`)
		if !w.offered(seed) {
			t.Error("the candidate is not offered")
		}
		if open, came := l.counts(); open != 0 || came != 1 {
			t.Errorf("%d connections, of which %d stand", came, open)
		}
		said := l.ended[0]
		if !strings.Contains(said, `"command":"hello"`) || strings.Contains(said, "helloack") || strings.Contains(said, seed.Instance()) || !strings.HasSuffix(said, "<nil>") {
			t.Errorf("the candidate heard %q", said)
		}
	})
}

// A connection that the other side has still something to say on is held for a
// moment, and not for ever.
func TestCheckAwaitsTheAcknowledgement(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies)
		l := w.listen("10.0.0.2", 2000, npmHello("net"))
		w.dialRaw("10.0.0.2", seed).shakeV0(`"tcp":{"port":2000}`)
		if open, _ := l.counts(); open != 1 {
			t.Error("the check has hung up")
		}
		time.Sleep(closeLinger)
		if open, _ := l.counts(); open != 0 {
			t.Error("the check has not hung up")
		}
		seed.checks(t, map[CheckResult]uint64{CheckPassed: 1})
	})
}

func TestCandidatesThatAreNotThere(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*world)
		want    CheckResult
	}{
		{"nobody", func(*world) {}, CheckUnreachable},
		{"silence", func(w *world) { w.listen("10.0.0.2", 2000, "") }, CheckUnreachable},
		{"another protocol", func(w *world) { w.listen("10.0.0.2", 2000, "220 mail.example ESMTP\r\n") }, CheckUnreachable},
		{"endless line", func(w *world) { w.listen("10.0.0.2", 2000, opens(0, "pxp")+data(0, strings.Repeat("x", 100_000))) }, CheckUnreachable},
		{"generation 1", func(w *world) { w.listen("10.0.0.2", 2000, magic+opens(0, "pxp")) }, CheckUnreachable},
		{"another network", func(w *world) { w.listen("10.0.0.2", 2000, npmGreeting("other")) }, CheckStranger},
		{"another host", func(w *world) { w.listen("10.0.0.3", 2000, npmGreeting("net")) }, CheckUnreachable},
		// The peer says nothing of an instance, so it is no node of this module.
		{"another node", func(w *world) { w.node("10.0.0.2").accept(transports.TCP, 2000) }, CheckStranger},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1", verifies)
				c.prepare(w)
				w.dialRaw("10.0.0.2", seed).shakeV0(`"tcp":{"port":2000}`)
				time.Sleep(11 * time.Second)
				synctest.Wait()
				if w.offered(seed) {
					t.Error("the candidate is offered")
				}
				got := seed.Stats().Checks
				if len(got) != 1 || got[c.want] == 0 {
					t.Errorf("checks came out as %v, want %s", got, c.want)
				}
			})
		})
	}
}

// A node that announces where the seed itself listens is not led to itself.
func TestSeedIsNoCandidateOfOthers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies)
		w.dialRaw("10.0.0.1", seed).shakeV0(`"tcp":{"port":1000}`)
		seed.checks(t, map[CheckResult]uint64{CheckStranger: 1})
		if got := len(seed.Peers()); got != 1 {
			t.Errorf("the seed has %d peers, want the one that connected", got)
		}
	})
}

func TestCandidateIsCheckedAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies)
		r := w.dialRaw("10.0.0.2", seed).shakeV0(`"tcp":{"port":2000}`)
		seed.checks(t, map[CheckResult]uint64{CheckUnreachable: 1})
		time.Sleep(recheckAfter[0])
		seed.checks(t, map[CheckResult]uint64{CheckUnreachable: 2})
		l := w.listen("10.0.0.2", 2000, npmGreeting("net"))
		if w.offered(seed) {
			t.Error("offered before it was found")
		}
		time.Sleep(recheckAfter[1])
		seed.checks(t, map[CheckResult]uint64{CheckUnreachable: 2, CheckPassed: 1})
		if !w.offered(seed) {
			t.Error("not offered once it was found")
		}
		r.line(`{"command":"unaccept","transport":"tcp"}`)
		synctest.Wait()
		l.Close()
		r.line(`{"command":"accept","transport":"tcp","opts":{"port":2000}}`)
		synctest.Wait()
		if w.offered(seed) {
			t.Error("offered after it was announced anew, and not found")
		}
	})
}

// After some attempts it is left alone, until it says again where it is.
func TestCandidateIsGivenUp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies)
		r := w.dialRaw("10.0.0.2", seed).shakeV0(`"tcp":{"port":2000}`)
		time.Sleep(time.Hour)
		all := uint64(1 + len(recheckAfter))
		seed.checks(t, map[CheckResult]uint64{CheckUnreachable: all})
		if waiting := seed.Stats().ChecksWaiting; waiting != 0 {
			t.Errorf("%d checks wait", waiting)
		}
		w.listen("10.0.0.2", 2000, npmGreeting("net"))
		r.line(`{"command":"accept","transport":"tcp","opts":{"port":2000}}`)
		seed.checks(t, map[CheckResult]uint64{CheckUnreachable: all, CheckPassed: 1})
		if !w.offered(seed) {
			t.Error("not offered once it was found")
		}
		// What was found is not looked for again.
		r.line(`{"command":"accept","transport":"tcp","opts":{"port":2000}}`)
		seed.checks(t, map[CheckResult]uint64{CheckUnreachable: all, CheckPassed: 1})
	})
}

// Who comes back shortly after is offered at once, and for as long as it is
// there.
func TestReturningCandidateIsOfferedAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies)
		greeting := npmGreeting("net")
		l := w.listen("10.0.0.2", 2000, greeting)
		come := func() *raw { return w.dialRaw("10.0.0.2", seed).shakeV0(`"tcp":{"port":2000}`) }
		leave := func(r *raw) {
			r.conn.Close()
			synctest.Wait()
		}
		leave(come())

		l.Close()
		l = w.listen("10.0.0.2", 2000, "") // says nothing
		r := come()
		if !w.offered(seed) {
			t.Error("not offered at once")
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if w.offered(seed) {
			t.Error("offered after it was not found")
		}
		leave(r)
		l.Close()
		w.listen("10.0.0.2", 2000, greeting)
		// A node of this module is known by its instance.
		another := w.node("10.0.0.2")
		another.connect(seed)
		time.Sleep(rememberFor)
		seed.Exchange.mu.Lock()
		if n := len(seed.verifier.known); n != 1 {
			t.Errorf("%d places are remembered, want 1", n)
		}
		for at := range seed.verifier.known {
			if seed.verifier.remembers(&listing{peer: &Peer{addr: at.at.Addr()}, service: at.service, port: int(at.at.Port())}) {
				t.Error("it is remembered for too long")
			}
		}
		seed.Exchange.mu.Unlock()
	})
}

func TestPlacesRememberedAreBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var v verifier
		addr := hostOf(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)})
		for port := 1; port <= 65535; port++ {
			v.remember(&listing{peer: &Peer{addr: addr}, service: service{V0, transports.TCP}, port: port, verified: true})
		}
		if len(v.known) > maxRemembered {
			t.Errorf("%d places are remembered", len(v.known))
		}
		time.Sleep(rememberFor)
		v.forgetSome()
		if len(v.known) != 0 {
			t.Errorf("%d places are remembered for ever", len(v.known))
		}
	})
}

// A peer that goes takes its check along.
func TestCheckEndsWithItsPeer(t *testing.T) {
	for name, end := range map[string]func(*raw, *node){
		"peer gone": func(r *raw, _ *node) { r.conn.Close() },
		"unaccept":  func(r *raw, _ *node) { r.line(`{"command":"unaccept","transport":"tcp"}`) },
		"closed":    func(_ *raw, seed *node) { seed.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1", verifies)
				l := w.listen("10.0.0.2", 2000, "")
				r := w.dialRaw("10.0.0.2", seed).shakeV0(`"tcp":{"port":2000}`)
				if open, _ := l.counts(); open != 1 {
					t.Fatalf("%d connections, want the check's", open)
				}
				end(r, seed)
				if open, _ := l.counts(); open != 0 {
					t.Error("the check goes on")
				}
				time.Sleep(time.Hour)
				if _, came := l.counts(); came != 1 {
					t.Errorf("%d checks, want one", came)
				}
				seed.checks(t, nil)
			})
		})
	}
}

// dialing is a transport that counts its calls, by port and host.
type dialing struct {
	memory.Direct
	mu sync.Mutex
	// Guarded by mu.
	dialed []string
	at     []netip.Addr // the address that each was told to be at
}

func (d *dialing) Dial(ctx context.Context, host string, opts transports.Options) (net.Conn, error) {
	d.mu.Lock()
	d.at = append(d.at, opts.IP)
	d.dialed = append(d.dialed, fmt.Sprintf("%s:%d", host, opts.Port))
	d.mu.Unlock()
	return d.Direct.Dial(ctx, host, opts)
}

func (d *dialing) count() int {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.dialed)
}

// watchedSeed is a seed whose dials are counted.
func (w *world) watchedSeed(change ...func(*Config)) (*node, *dialing) {
	d := &dialing{Direct: w.network.New(memory.Config{Name: transports.TCP, Address: "10.0.0.1"}).Direct()}
	change = append(change, verifies, func(cfg *Config) { cfg.Transports = []transports.Transport{d} })
	return w.seed("10.0.0.1", change...), d
}

// A peer that wants this node to look at one port after the other, of the address
// that it comes from, does not get far.
func TestPortScanThroughChecks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed, dials := w.watchedSeed()
		peer := w.dialRaw("10.0.0.2", seed).shakeV0("")
		port := 1
		scan := func(n int) {
			for range n {
				peer.line(`{"command":"accept","transport":"tcp","opts":{"port":%d}}`, port)
				synctest.Wait()
				peer.line(`{"command":"unaccept","transport":"tcp"}`)
				port++
			}
		}
		scan(100)
		if got, want := dials.count(), seed.limits.ChecksPerPeer; got != want {
			t.Errorf("%d ports were looked at, want %d", got, want)
		}
		// Patience takes it to the limit of ports.
		for range 60 {
			time.Sleep(59 * time.Second)
			scan(20)
		}
		if got, want := dials.count(), seed.limits.CheckedPortsPerIP; got > want {
			t.Errorf("%d ports were looked at in an hour, want %d", got, want)
		}
		for _, dialed := range dials.dialed {
			if !strings.HasPrefix(dialed, "10.0.0.2:") {
				t.Fatalf("dialed %s", dialed)
			}
		}
	})
}

func TestLimitsOfChecks(t *testing.T) {
	for _, c := range []struct {
		limit string
		from  func(i int) string // where the peers come from
		want  int                // how many are checked at once
		later time.Duration      // after which one more is
	}{
		{"checks=3", func(i int) string { return fmt.Sprintf("10.1.%d.1", i) }, 3, 10 * time.Second},
		{"checks-per-second=2", func(i int) string { return fmt.Sprintf("10.1.%d.1", i) }, 2, time.Second / 2},
		{"checks-per-ip=3", func(int) string { return "10.1.0.1" }, 3, 20 * time.Second},
		{"checks-per-network=4", func(i int) string { return fmt.Sprintf("10.1.0.%d", i+1) }, 4, 15 * time.Second},
		{"checked-ports-per-ip=5", func(int) string { return "10.1.0.1" }, 5, time.Hour},
	} {
		t.Run(c.limit, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				name, value, _ := strings.Cut(c.limit, "=")
				seed, dials := w.watchedSeed(limited("all", "unlimited"), limited(name, value))
				for i := range 8 {
					greeting := npmGreeting("net")
					if name == "checks" {
						greeting = "" // they take their time
					}
					w.listen(c.from(i), 2000+i, greeting)
					w.dialRaw(c.from(i), seed).shakeV0(fmt.Sprintf(`"tcp":{"port":%d}`, 2000+i))
				}
				if got := dials.count(); got != c.want {
					t.Errorf("%d were checked at once, want %d", got, c.want)
				}
				time.Sleep(c.later - time.Millisecond)
				before := seed.distinct(dials)
				time.Sleep(2 * time.Millisecond)
				if got := seed.distinct(dials); before != c.want || got <= before {
					t.Errorf("%d were checked until %v had passed, and then %d", before, c.later, got)
				}
				seed.Close()
			})
		})
	}
}

// distinct is how many places were dialed.
func (n *node) distinct(d *dialing) int {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	all := slices.Clone(d.dialed)
	slices.Sort(all)
	return len(slices.Compact(all))
}

func TestCheckTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies, limited("check-time", "3s"))
		l := w.listen("10.0.0.2", 2000, opens(0, "pxp"))
		w.dialRaw("10.0.0.2", seed).shakeV0(`"tcp":{"port":2000}`)
		time.Sleep(3*time.Second - time.Millisecond)
		if open, _ := l.counts(); open != 1 {
			t.Error("the check ended too soon")
		}
		time.Sleep(time.Millisecond)
		if open, _ := l.counts(); open != 0 {
			t.Error("the check takes too long")
		}
		seed.checks(t, map[CheckResult]uint64{CheckUnreachable: 1})
	})
}

// A candidate whose transport the node lacks cannot be checked, and one that is
// negotiated need not be.
func TestChecksByTransport(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed, _ := w.watchedSeed()
		w.dialRaw("10.0.0.2", seed).shakeV0(`"websocket":{"port":2000}`)
		seed.checks(t, map[CheckResult]uint64{CheckUnreachable: 1})
		w.dialRaw("10.0.0.3", seed).shakeV0(`"webrtc":true`)
		if !w.offered(seed) {
			t.Error("a negotiated candidate is not offered")
		}
		seed.checks(t, map[CheckResult]uint64{CheckUnreachable: 1})
	})
}

// Hosts and networks are forgotten once they have all of their share again.
func TestCheckRatesForgetHosts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		limits := DefaultLimits()
		if err := limits.Set("checks-per-second", "unlimited"); err != nil {
			t.Fatal(err)
		}
		var r checkRates
		most := 0
		for i := range 20 * leastSwept {
			addr := hostOf(&net.TCPAddr{IP: net.IPv4(10, byte(i>>16), byte(i>>8), byte(i))})
			l := &listing{peer: &Peer{addr: addr}, port: 1 + i%65535}
			r.take(&limits, l, time.Now())
			if i%100 == 0 {
				time.Sleep(10 * time.Minute)
			}
			most = max(most, len(r.hosts)+len(r.networks))
		}
		if most > 4*leastSwept {
			t.Errorf("%d hosts and networks were held", most)
		}
	})
}

func TestCheckErrorsAreTold(t *testing.T) {
	err := error(&checkError{CheckStranger, ErrNetworkMismatch})
	if !errors.Is(err, ErrNetworkMismatch) || err.Error() != ErrNetworkMismatch.Error() {
		t.Errorf("got %v", err)
	}
}
