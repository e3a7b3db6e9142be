package seed

import (
	"errors"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// halfOpen is how many connections a flood is made of.
const halfOpen = 10_000

// TestHalfOpenHandshakes floods a seed with connections that begin to shake hands and go
// no further. The seed holds no more of them than it is told to, and whoever comes then
// gets in.
func TestHalfOpenHandshakes(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.PendingConnections = 64
	cfg.Limits.HandshakeTime = 10 * stepTime // so that nothing but the flood itself ends them
	s := startSeed(t, cfg)
	before, err := newNode(t, exchange.V0).Connect(testContext(t), transports.TCP, "127.0.0.1", transports.Options{Port: s.plain})
	if err != nil {
		t.Fatal(err)
	}

	var open []net.Conn
	defer func() {
		for _, conn := range open {
			conn.Close()
		}
	}()
	beginnings := []string{"", "\x16\x03\x01\x02\x00\x01", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"}
	for i := range halfOpen {
		conn, err := net.Dial("tcp", s.ports[0].listener.Addr().String())
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		io.WriteString(conn, beginnings[i%len(beginnings)]) // fails where the seed was faster
		if n := s.entrance.pending.len(); n > cfg.Limits.PendingConnections {
			t.Fatalf("%d connections are pending, want at most %d", n, cfg.Limits.PendingConnections)
		}
		if open = append(open, conn); len(open) > 4*cfg.Limits.PendingConnections {
			// It is one of the oldest, which the seed closes.
			if n, _ := io.Copy(io.Discard, open[0]); n != 0 {
				t.Fatalf("connection %d was told %d bytes", i, n)
			}
			open[0].Close()
			open = slices.Delete(open, 0, 1)
		}
	}
	s.eventually(t, "seed_refusals_total "+refusedPending, float64(halfOpen-cfg.Limits.PendingConnections))

	ctx := testContext(t)
	after, err := newNode(t, exchange.V0).Connect(ctx, transports.WebSocket, "127.0.0.1",
		transports.Options{Port: s.secure, Secure: true, TLS: s.trust(t)})
	if err != nil {
		t.Fatalf("whoever comes after the flood: %v", err)
	}
	for _, p := range []*exchange.Peer{before, after} {
		if _, err := p.GetNewPeer(ctx); !errors.Is(err, exchange.ErrNoCandidates) {
			t.Errorf("a peer over %s is told %v", p.Transport(), err)
		}
	}
}
