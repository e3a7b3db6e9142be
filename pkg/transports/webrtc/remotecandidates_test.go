package webrtc

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// told is a script that says when all of it was taken, and where its introducer is.
type told struct {
	script
	introducer netip.Addr
	taken      chan struct{}
}

func (s *told) Receive(ctx context.Context) (json.RawMessage, error) {
	if len(s.signals) == 0 {
		close(s.taken)
	}
	return s.script.Receive(ctx)
}

func (s *told) Introducer() netip.Addr { return s.introducer }

// tried is which addresses of the other node a responder tries, sorted, once there are
// as many as there should be.
func tried(t *testing.T, cfg Config, introducer netip.Addr, want int, signals ...string) []string {
	t.Helper()
	tr := closeAtEnd(t, New(cfg))
	ctx, cancel := context.WithCancel(testContext(t))
	said := &told{script{signals: signals}, introducer, make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		_, err := tr.Negotiate(ctx, transport.Responder, said)
		ended <- err
	}()
	select {
	case <-said.taken:
	case err := <-ended:
		t.Fatal(err)
	}
	tr.mu.Lock()
	conns := slices.Collect(maps.Keys(tr.conns))
	tr.mu.Unlock()
	var addrs []string
	for len(addrs) < want && ctx.Err() == nil { // pion adds each in a goroutine of its own
		addrs = nil
		for _, stats := range conns[0].pc.GetStats() {
			if c, ok := stats.(pion.ICECandidateStats); ok && c.Type == pion.StatsTypeRemoteCandidate {
				addrs = append(addrs, c.IP)
			}
		}
	}
	cancel()
	<-ended
	slices.Sort(addrs)
	return addrs
}

func candidateOf(kind, addr string) string {
	return fmt.Sprintf(`{"candidate":{"candidate":"candidate:1 1 %s 1 %s 9 typ host"}}`, kind, addr)
}

func embedding(t *testing.T, addrs ...string) string {
	t.Helper()
	return foreignDescription(t, func(sdp string) string {
		for _, addr := range addrs {
			sdp += fmt.Sprintf("a=candidate:1 1 udp 1 %s 9 typ host\r\n", addr)
		}
		return sdp
	})
}

// However a candidate comes, it is tried only if the configuration allows it.
func TestAllowCandidate(t *testing.T) {
	introducer := netip.MustParseAddr("198.51.100.7")
	denied := []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.2", "fc00::1"}
	cfg := Config{AllowCandidate: func(candidate, by netip.Addr) bool {
		if by != introducer {
			t.Errorf("the introducer is at %v", by)
		}
		return !candidate.IsPrivate() && !candidate.IsLoopback() && !candidate.IsLinkLocalUnicast()
	}}
	var signals, late []string
	for _, addr := range denied {
		signals = append(signals, candidateOf("udp", addr))
		late = append(late, candidateOf("udp", addr))
	}
	signals = append(signals, candidateOf("udp", "192.0.2.1"), embedding(t, append(denied, "192.0.2.2")...))
	signals = append(append(signals, late...), candidateOf("udp", "192.0.2.3"))
	want := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}
	if got := tried(t, cfg, introducer, len(want), signals...); !slices.Equal(got, want) {
		t.Errorf("tries %v, want %v", got, want)
	}
	if got := tried(t, Config{}, netip.Addr{}, 1, embedding(t), candidateOf("udp", "10.0.0.1")); !slices.Equal(got, []string{"10.0.0.1"}) {
		t.Errorf("without a rule it tries %v", got)
	}
}

// What names many addresses gets few of them tried, and what is no use takes no place.
func TestManyCandidates(t *testing.T) {
	var signals, embedded []string
	for i := range 60 {
		signals = append(signals, candidateOf("udp", fmt.Sprintf("192.0.2.%d", i)))
		embedded = append(embedded, fmt.Sprintf("198.51.100.%d", i))
	}
	for i := range 60 {
		signals = append(signals, candidateOf("udp", fmt.Sprintf("%d.local", i)), candidateOf("tcp", fmt.Sprintf("203.0.113.%d", i)))
	}
	for name, test := range map[string][]string{
		"early":    append(slices.Clone(signals), embedding(t)),
		"late":     append([]string{embedding(t)}, signals...),
		"embedded": {embedding(t, embedded...), signals[0]},
		"useless":  append(append([]string{embedding(t)}, signals[60:]...), signals[:60]...),
	} {
		t.Run(name, func(t *testing.T) {
			got := tried(t, Config{}, netip.Addr{}, maxRemoteCandidates, test...)
			if len(got) != maxRemoteCandidates || slices.ContainsFunc(got, func(addr string) bool { return strings.HasPrefix(addr, "203.") }) {
				t.Errorf("tries %d: %v", len(got), got)
			}
		})
	}
}

// The count holds whatever pion makes of the candidates.
func TestCandidatesAreCounted(t *testing.T) {
	n := newNegotiation(newConn(New(Config{})), transport.Responder, nil)
	taken := 0
	for i := range 200 {
		for _, line := range []string{fmt.Sprintf("candidate:1 1 udp 1 192.0.2.%d 9 typ host", i), "garbage"} {
			if err := n.onRemoteCandidate(line); err != nil {
				t.Fatal(err)
			}
		}
		taken = len(n.early)
	}
	if taken != maxRemoteCandidates {
		t.Errorf("%d are kept for the description, want %d", taken, maxRemoteCandidates)
	}
}

// A node that may send to none of the other one's addresses is found by that one.
func TestConnectsWhereNoCandidateIsAllowed(t *testing.T) {
	asked := 0
	cfg := Config{AllowCandidate: func(netip.Addr, netip.Addr) bool { asked++; return false }}
	c1, c2 := connect(t, closeAtEnd(t, New(Config{})), closeAtEnd(t, New(cfg)))
	c1.Close()
	c2.Close()
	if asked == 0 {
		t.Error("nobody asked")
	}
}
