package seed

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// idlePeers are how many are counted: so many that what else the process holds does not
// matter, and so few that no usual limit on open files is in the way.
const idlePeers = 200

// TestIdlePeersAreSmall counts the heap that the seed holds for a websocket peer that is
// ready and says nothing. A limit is a few hundred bytes above what there is, so that one
// more KiB is seen. Stacks of goroutines are not counted, which the runtime gives and
// takes as it likes; `make bench` has all that the process takes of the system.
func TestIdlePeersAreSmall(t *testing.T) {
	for _, c := range []struct {
		scheme string
		limit  int // bytes for a peer
	}{
		{"ws", 6_400},   // 5,700 in Go 1.26, of which 1 KiB is to read into
		{"wss", 13_000}, // 12,250
	} {
		t.Run(c.scheme, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Limits.PeersPerIP = exchange.Unlimited
			s := startSeed(t, cfg)
			ctx := testContext(t)
			const first = idlePeers / 4
			conns := make([]net.Conn, 0, first+idlePeers)
			defer func() {
				for _, conn := range conns {
					conn.Close()
				}
			}()
			connect := func(n int) {
				for range n {
					conns = append(conns, s.idlePeer(ctx, t, c.scheme))
				}
				s.await(ctx, t, len(conns))
			}
			haveGoroutines(4 * idlePeers)
			connect(first) // what they have the seed set up is no peer's
			before := heapInUse()
			connect(idlePeers)
			each := (heapInUse() - before) / idlePeers
			t.Logf("a peer holds %d bytes", each)
			if each > c.limit {
				t.Errorf("a peer holds %d bytes of heap, more than %d", each, c.limit)
			}
		})
	}
}

// haveGoroutines has the runtime make what it keeps for each of n goroutines and uses
// again, so that it does not do so, or not, while peers are counted.
func haveGoroutines(n int) {
	var running sync.WaitGroup
	end := make(chan struct{})
	for range n {
		running.Go(func() { <-end })
	}
	close(end)
	running.Wait()
}

// heapInUse is without what pools keep, which the second collection takes.
func heapInUse() int {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// idlePeer makes a peer that says what makes it ready and then nothing more, and keeps of
// its side of the connection only what holds it open: the rest would be counted.
func (s *testSeed) idlePeer(ctx context.Context, t *testing.T, scheme string) (socket net.Conn) {
	t.Helper()
	port, dialer := s.plain, websocket.Dialer{NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		var err error
		socket, err = new(net.Dialer).DialContext(ctx, network, address)
		return socket, err
	}}
	if scheme == "wss" {
		port, dialer.TLSClientConfig = s.secure, &tls.Config{InsecureSkipVerify: true}
	}
	conn, _, err := dialer.DialContext(ctx, fmt.Sprintf("%s://127.0.0.1:%d/", scheme, port), nil) //nolint:bodyclose // a websocket's response has none
	if err != nil {
		t.Fatal(err)
	}
	lines := fmt.Sprintf(`{"command":"hello","id":%q,"version":0,"accepts":{},"transports":["websocket"]}`, s.config.NetworkID) + "\n" + `{"command":"helloack"}` + "\n"
	message := append([]byte("\x00\x03pxp\x02"), binary.AppendUvarint(nil, uint64(len(lines)))...) // opens the control channel
	if err := conn.WriteMessage(websocket.BinaryMessage, append(message, lines...)); err != nil {
		t.Fatal(err)
	}
	return socket
}
