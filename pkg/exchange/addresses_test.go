package exchange

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/memory"
)

const publicName = "node1.example.org"

// knows has a node look names up in a list. What is not in it makes the lookup
// fail.
func (n *node) knows(names map[string]string) *node {
	n.lookup = func(_ context.Context, network, host string) ([]netip.Addr, error) {
		var found []netip.Addr
		for addr := range strings.FieldsSeq(names[host]) {
			found = append(found, netip.MustParseAddr(addr))
		}
		if network != "ip" || len(found) == 0 {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return found, nil
	}
	return n
}

// looksNothingUp fails the test if the node does.
func (n *node) looksNothingUp() *node {
	n.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		n.t.Error("a name was looked up")
		return nil, errors.New("no")
	}
	return n
}

func publicAt(addresses ...string) func(*Config) {
	return func(cfg *Config) { cfg.Addresses = addresses }
}

// public is a node with addresses that listens on a port without saying so.
func (w *world) public(host, transport string, port int, addresses ...string) *node {
	w.t.Helper()
	n := w.node(host, publicAt(addresses...))
	l, err := w.network.New(memory.Config{Name: transport, Address: host}).Listen(ctx, transports.Options{Port: port})
	if err != nil {
		w.t.Fatal(err)
	}
	go n.Serve(l, transport)
	return n
}

func (r *raw) offer() map[string]any {
	r.t.Helper()
	r.line(`{"command":"getPeer","reqId":"r"}`)
	return r.message()
}

func TestCandidateWithAName(t *testing.T) {
	for _, transport := range []string{transports.WebSocket, transports.TCP} {
		t.Run(transport, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1", verifies).knows(map[string]string{publicName: "2001:db8::1 ::ffff:10.0.0.3"})
				url := formatURL(transport, publicName, transports.Options{Port: 2443, Secure: true})
				candidate := w.public("10.0.0.3", transport, 2443, strings.ToUpper(url[:3])+url[3:])
				candidate.connect(seed)
				seed.checks(t, map[CheckResult]uint64{CheckPassed: 1})

				// A node of this module looks the name up itself.
				asker := w.node("10.0.0.4").knows(map[string]string{publicName: "10.0.0.3"})
				asker.connect(seed)
				p, err := asker.GetNewPeer(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if p.Instance() != candidate.Instance() || p.RemoteAddress() != "10.0.0.3" || p.DialedURL() != url {
					t.Errorf("met %s at %s, by %s", p.Instance(), p.RemoteAddress(), p.DialedURL())
				}
				// To a published one the name is an address, but for tcp, which knows no TLS.
				m := w.dialRaw("10.0.0.7", seed).shakeV0("").offer()
				if transport == transports.TCP {
					if m["transport"] != nil {
						t.Errorf("a published node was told %v", m)
					}
				} else if m["address"] != publicName || m["opts"].(map[string]any)["secure"] != true {
					t.Errorf("a published node was told %v", m)
				}
			})
		})
	}
}

// A page that came over https gets a candidate whose certificate it can verify,
// where the candidate has one.
func TestNamesArePreferred(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies).knows(map[string]string{publicName: "10.0.0.3"})
		candidate := w.public("10.0.0.3", transports.WebSocket, 2443, "wss://"+publicName+":2443")
		candidate.accept(transports.WebSocket, 2080)
		candidate.connect(seed)
		seed.checks(t, map[CheckResult]uint64{CheckPassed: 2})
		for range 10 {
			if m := w.dialPage("https://app.example", "10.0.0.4", seed).shakeV0("").offer(); m["address"] != publicName {
				t.Fatalf("the page was told %v", m)
			}
		}
		if err := candidate.Unaccept(transports.WebSocket); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if m := w.dialRaw("10.0.0.5", seed).shakeV0("").offer(); m["transport"] != nil {
			t.Errorf("a transport that is not accepted any more is offered: %v", m)
		}
	})
}

func TestNamesThatLeadElsewhere(t *testing.T) {
	for _, c := range []struct {
		name, address, at string
		want              map[CheckResult]uint64
	}{
		{"to another host", "wss://" + publicName, "10.0.0.9", map[CheckResult]uint64{CheckName: 1}},
		{"nowhere", "wss://" + publicName, "", map[CheckResult]uint64{CheckName: 1}},
		{"nobody listens", "wss://" + publicName, "10.0.0.3", map[CheckResult]uint64{CheckUnreachable: 1}},
		{"another address", "wss://10.0.0.9:2443", "", nil},
		{"without TLS", "ws://" + publicName + ":2443", "10.0.0.3", nil},
		{"no address", "https://" + publicName, "10.0.0.3", nil},
		{"with a token", "wss://" + publicName + ":2443?token=x", "10.0.0.3", nil},
		{"longer than may be", "wss://" + strings.Repeat("a.", 130) + "example", "10.0.0.3", nil},
		{"its own address", "wss://10.0.0.3:2443", "", map[CheckResult]uint64{CheckPassed: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1", verifies).knows(map[string]string{publicName: c.at})
				candidate := w.public("10.0.0.3", transports.WebSocket, 2443)
				candidate.Exchange.config.Addresses = []string{c.address} // whatever New says to it
				candidate.connect(seed)
				seed.checks(t, c.want)
				m := w.dialRaw("10.0.0.5", seed).shakeV0("").offer()
				if offered := m["transport"] != nil; offered != (c.want[CheckPassed] > 0) {
					t.Errorf("others are told %v", m)
				}
			})
		})
	}
}

// Without checks a name could lead others anywhere.
func TestNamesAreNotPassedOnUnverified(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1").looksNothingUp()
		w.public("10.0.0.3", transports.WebSocket, 2443, "wss://"+publicName+":2443", "wss://10.0.0.3:2443").connect(seed)
		synctest.Wait()
		for range 10 {
			if m := w.dialRaw("10.0.0.5", seed).shakeV0("").offer(); m["address"] != "10.0.0.3" {
				t.Fatalf("others are told %v", m)
			}
		}
	})
}

func TestAnnouncedAddressesAreBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1", verifies, limited("all", "unlimited")).knows(nil)
		var list []string
		for i := range 100 {
			list = append(list, fmt.Sprintf(`"wss://n%d.example.org"`, i))
		}
		r := w.dialRaw("10.0.0.2", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(`{"command":"hello","id":"net","version":0,"accepts":{},"transports":[],"ext":{"agent":"x/1","features":["addresses"],"addresses":[%s]}}`, strings.Join(list, ","))
		r.line(`{"command":"helloack"}`)
		seed.checks(t, map[CheckResult]uint64{CheckName: maxAddressURLs})
		// What it accepts is counted for itself.
		for i := range 20 {
			r.line(`{"command":"accept","transport":"t%d","opts":{}}`, i)
		}
		synctest.Wait()
		seed.Exchange.mu.Lock()
		defer seed.Exchange.mu.Unlock()
		for p := range seed.Exchange.peers {
			if got := len(p.listings); got != maxAddressURLs+maxAnnouncedTransports {
				t.Errorf("%d listings", got)
			}
		}
	})
}

// The check's name does not keep it from the address that the peer is seen at.
func TestNamedCheckGoesNowhereElse(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := &dialing{Direct: w.network.New(memory.Config{Name: transports.TCP, Address: "10.0.0.1"}).Direct()}
		seed := w.seed("10.0.0.1", verifies, func(cfg *Config) { cfg.Transports = []transports.Transport{d} })
		seed.knows(map[string]string{publicName: "10.0.0.9 10.0.0.3"})
		elsewhere := w.listen("10.0.0.9", 2443, "")
		w.public("10.0.0.3", transports.TCP, 2443, "tls://"+publicName+":2443").connect(seed)
		seed.checks(t, map[CheckResult]uint64{CheckPassed: 1})
		if _, came := elsewhere.counts(); came != 0 || d.count() != 1 || d.at[0] != netip.MustParseAddr("10.0.0.3") {
			t.Errorf("dialed %v at %v", d.dialed, d.at)
		}
	})
}

// A peer that answers getPeer cannot send a node where it cannot be itself, by no
// name: what is dialed is what was looked at.
func TestOfferedNames(t *testing.T) {
	for _, c := range []struct {
		name, address, opts, at string
		dialed, remembered      string // nothing if the offer is not followed
	}{
		{"name with TLS", publicName, `{"port":2443,"secure":true}`, "192.0.2.3", "192.0.2.3", "tls://" + publicName + ":2443"},
		{"name without TLS", publicName, `{"port":2443}`, "192.0.2.3", "192.0.2.3", "tcp://192.0.2.3:2443"},
		{"one of them is private", publicName, `{"port":2443,"secure":true}`, "10.0.0.3 192.0.2.3", "192.0.2.3", "tls://" + publicName + ":2443"},
		{"private", publicName, `{"port":2443,"secure":true}`, "10.0.0.3", "", ""},
		{"loopback", publicName, `{"port":2443,"secure":true}`, "::1 127.0.0.1 ::ffff:127.0.0.1", "", ""},
		{"not known", publicName, `{"port":2443,"secure":true}`, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				d := &dialing{Direct: w.network.New(memory.Config{Name: transports.TCP, Address: "192.0.2.9"}).Direct()}
				asker := w.seed("192.0.2.9", func(cfg *Config) { cfg.Transports = []transports.Transport{d} })
				asker.knows(map[string]string{publicName: c.at})
				for _, host := range []string{"192.0.2.3", "10.0.0.3"} {
					w.listen(host, 2443, npmGreeting("net"))
				}
				r := w.dialRaw("192.0.2.1", asker).shakeV0("")
				by := asker.next()
				type result struct {
					p   *Peer
					err error
				}
				results := make(chan result, 1)
				go func() {
					p, err := by.GetNewPeer(ctx)
					results <- result{p, err}
				}()
				_, id, _ := strings.Cut(r.control(), `"reqId":"`)
				r.line(`{"command":"%s","transport":"tcp","opts":%s,"address":%q,"nonce":"n"}`, id[:32], c.opts, c.address)
				got := <-results
				if c.dialed == "" {
					if !errors.Is(got.err, ErrNoCandidates) || d.count() != 0 {
						t.Errorf("got %v, and dialed %v", got.err, d.dialed)
					}
					return
				}
				if got.err != nil || d.count() != 1 || d.at[0].String() != c.dialed || got.p.DialedURL() != c.remembered {
					t.Fatalf("got %v, dialed %v at %v", got, d.dialed, d.at)
				}
			})
		})
	}
}

// Names that a program would take for an address mean nothing.
func TestOfferedNamesThatAreNone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node("192.0.2.9").looksNothingUp()
		for _, name := range []string{"", "127.1", "2130706433", "0x7f000001", "node.0x7f", "a/b", "a b", "-a.example", "a..example", "[::1", "fe80::1%eth0"} {
			if got := n.resolveOffer(ctx, &Peer{addr: netip.MustParseAddr("192.0.2.1")}, name); got.IsValid() {
				t.Errorf("%q is at %v", name, got)
			}
		}
	})
}

func TestNewRejectsAddresses(t *testing.T) {
	for address, ok := range map[string]bool{
		"wss://node1.example.org":                          true,
		"tls://xn--bcher-kva.example:7":                    true,
		"wss://localhost:8443":                             true,
		"ws://192.0.2.1:8000":                              true,
		"tcp://[2001:db8::1]:8000":                         true,
		"ws://node1.example.org:80":                        false,
		"tcp://node1.example.org:80":                       false,
		"wss://node1.example.org?token=x":                  false,
		"wss://node1.example.org/path":                     false,
		"wss://127.1":                                      false,
		"wss://2130706433":                                 false,
		"wss://node1.0x7f":                                 false,
		"wss://a%2fb.example":                              false,
		"wss://a_b.example":                                false,
		"wss://-a.example":                                 false,
		"wss://example..org":                               false,
		"wss://example.org.":                               false,
		"wss://" + strings.Repeat("a", 64) + ".example":    false,
		"wss://" + strings.Repeat("abc.", 63) + "example":  false,
		"http://node1.example.org":                         false,
		"wss://":                                           false,
		"node1.example.org:443":                            false,
		"wss://" + strings.Repeat("ab.", 82) + "exampleor": false,
	} {
		ex, err := New("net", Config{Addresses: []string{address}})
		if (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
		if err == nil {
			ex.Close()
		} else if !strings.Contains(err.Error(), "Config.Addresses") {
			t.Errorf("%s: %v does not name the field", address, err)
		}
	}
	if _, err := New("net", Config{Addresses: make([]string, maxAddressURLs+1)}); err == nil {
		t.Error("too many addresses were taken")
	}
}

// Two peers at one address are not taken for each other by what one of them is
// called.
func TestNamesAreRememberedWithTheirPlace(t *testing.T) {
	at := hostOf(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)})
	l := &listing{peer: &Peer{addr: at}, service: service{V0, transports.TCP}, port: 7, verified: true}
	named := *l
	named.host = publicName
	var v verifier
	v.remember(l)
	if !v.remembers(l) || v.remembers(&named) {
		t.Errorf("remembered are %v", maps.Keys(v.known))
	}
}
