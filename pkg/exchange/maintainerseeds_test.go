package exchange

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// host is a web server in virtual time: it has one document, or is down.
type host struct {
	document atomic.Pointer[string]
	asked    atomic.Int32
}

func (h *host) RoundTrip(*http.Request) (*http.Response, error) {
	h.asked.Add(1)
	document := h.document.Load()
	if document == nil {
		return nil, errors.New("down")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(*document))}, nil
}

// names publishes seeds with these addresses each.
func (h *host) names(t *testing.T, network string, sequence uint64, seeds ...[]string) {
	t.Helper()
	b := Bootstrap{Network: network, Sequence: sequence}
	for _, addresses := range seeds {
		b.Seeds = append(b.Seeds, BootstrapSeed{Addresses: addresses})
	}
	document := string(signBootstrap(t, b))
	h.document.Store(&document)
}

func (h *host) source() *BootstrapSource {
	return &BootstrapSource{URL: "https://host.example", Key: bootstrapPublic, Client: &http.Client{Transport: h}}
}

// isAt sees that a node is connected to these addresses, in order, and no others.
func (n *node) isAt(addresses ...string) {
	n.t.Helper()
	var at []string
	for _, p := range n.Peers() {
		at = append(at, p.DialedURL())
	}
	slices.Sort(at)
	if !slices.Equal(at, addresses) {
		n.t.Errorf("connected to %q, want %q", at, addresses)
	}
}

func TestMaintainerBootstraps(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const one, two, three = "tcp://10.0.0.1:1000", "tcp://10.0.0.2:1000", "tcp://10.0.0.3:1000"
		first := w.seed("10.0.0.1")
		w.seed("10.0.0.2")
		var h host
		n := w.node("10.0.0.9")
		n.maintain(MaintainerConfig{Bootstrap: h.source(), Peers: -1, MaxBackoff: time.Minute})
		// It goes on asking while the host is down.
		time.Sleep(10 * time.Minute)
		n.isAt()
		if asked := h.asked.Load(); asked < 8 || asked > 40 {
			t.Errorf("asked a host that is down %d times in ten minutes", asked)
		}
		// One connection to a seed, however many addresses it has.
		h.names(t, "net", 3, []string{one, "ws://10.0.0.1:1000"}, []string{two})
		time.Sleep(2 * time.Minute)
		n.isAt(one, two)
		asked := h.asked.Load()
		time.Sleep(25 * time.Minute)
		if more := h.asked.Load() - asked; more > 0 {
			t.Errorf("asked %d times more with nothing amiss", more)
		}
		// What is not to be taken changes nothing.
		for _, bad := range []func(){
			func() { h.names(t, "net", 2, []string{three}) },
			func() { h.names(t, "other", 9, []string{three}) },
		} {
			bad()
			time.Sleep(2 * time.Hour)
			n.isAt(one, two)
		}
		// A seed is gone, and the document says where the next one is.
		w.seed("10.0.0.3")
		h.names(t, "net", 4, []string{two}, []string{three})
		first.Close()
		time.Sleep(10 * time.Minute)
		n.isAt(two, three)
	})
}

// A document without seeds is that of a network that has just begun.
func TestMaintainerAsksForSeedsAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const one = "tcp://10.0.0.1:1000"
		w.seed("10.0.0.1")
		var h host
		h.names(t, "net", 1)
		n := w.node("10.0.0.9")
		n.maintain(MaintainerConfig{Bootstrap: h.source(), Peers: -1, MaxBackoff: time.Minute})
		time.Sleep(10 * time.Minute)
		n.isAt()
		if asked := h.asked.Load(); asked < 8 || asked > 40 {
			t.Errorf("asked %d times in ten minutes", asked)
		}
		h.names(t, "net", 2, []string{one})
		time.Sleep(2 * time.Minute)
		n.isAt(one)
	})
}

// Where there is one seed only, its other addresses are not dialed too.
func TestMaintainerTakesASeedOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		var h host
		h.names(t, "net", 1, []string{"tcp://10.0.0.8:1000", "tcp://10.0.0.1:1000", "ws://10.0.0.1:1000"})
		n := w.node("10.0.0.9")
		n.maintain(MaintainerConfig{Bootstrap: h.source(), Peers: -1})
		time.Sleep(time.Hour)
		n.isAt("tcp://10.0.0.1:1000")
		if got := len(seed.Peers()); got != 1 {
			t.Errorf("the seed has %d peers", got)
		}
	})
}

func TestMaintainerBootstrapRejects(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node("10.0.0.9")
		for name, source := range map[string]*BootstrapSource{
			"no URL":          {},
			"http, no key":    {URL: "http://host.example"},
			"another network": {URL: "https://host.example", Network: "other"},
		} {
			if _, err := NewMaintainer(n.Exchange, MaintainerConfig{Bootstrap: source}); err == nil {
				t.Errorf("%s was taken", name)
			}
		}
	})
}
