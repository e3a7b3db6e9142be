//go:build interop

package fault

import (
	"context"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// startAt starts a seed on an address, which for a moment may be somebody else's.
func startAt(t *testing.T, address string) *seed {
	t.Helper()
	end := time.Now().Add(stepTime)
	for time.Now().Before(end) {
		s := start(t, exec.Command(program, append(common,
			"--listen", "off", "--listen-plain", address, "--turn-listen", "off", "--state-dir", t.TempDir())...))
		if s != nil {
			return s
		}
	}
	t.Fatalf("no seed starts on %s", address)
	return nil
}

// rivalryTime is how long the second of two connections between nodes may replace the
// first, which is what a handshake may take: two that look for each other at the same
// time both dial.
const rivalryTime = 2 * time.Second

// node keeps itself connected to two of the seeds and to a peer.
func node(t *testing.T, seeds []string) *exchange.Exchange {
	t.Helper()
	ex, err := exchange.New(networkID, exchange.Config{
		Limits: exchange.Limits{HandshakeTime: rivalryTime},
		OnPeer: func(p *exchange.Peer) {
			if !p.Outgoing() {
				go io.Copy(p, p)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ex.Accept(t.Context(), transports.WebRTC, transports.Options{}); err != nil {
		t.Fatal(err)
	}
	m, err := exchange.NewMaintainer(ex, exchange.MaintainerConfig{
		Seeds: seeds, SeedConnections: 2, Peers: 1, MinBackoff: 50 * time.Millisecond, MaxBackoff: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		ex.Close()
	})
	return ex
}

// connected returns the addresses of the seeds that a node is connected to, and its
// other peers.
func connected(ex *exchange.Exchange) (seeds []string, peers []*exchange.Peer) {
	for _, p := range ex.Peers() {
		if strings.HasPrefix(p.Agent(), "peerexchange-seed/") {
			seeds = append(seeds, p.RemoteAddr().String())
		} else {
			peers = append(peers, p)
		}
	}
	return seeds, peers
}

// eventually waits for what becomes of nodes.
func eventually(t *testing.T, nodes []*exchange.Exchange, what string, ok func() bool) {
	t.Helper()
	end := time.After(stepTime)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-end:
			for i, ex := range nodes {
				seeds, peers := connected(ex)
				t.Logf("node %d has the seeds %v and %d other peers", i, seeds, len(peers))
			}
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

// echo sends something to a peer and back.
func echo(t *testing.T, p *exchange.Peer, text string) {
	t.Helper()
	p.SetDeadline(time.Now().Add(stepTime))
	if _, err := io.WriteString(p, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(p, got); err != nil || string(got) != text {
		t.Fatalf("%s: got %q, %v", text, got, err)
	}
}

// TestKilledSeed kills a seed of three, and later the other two: nodes go on through
// those that are left, come back to the one that is there again, and keep their peers.
func TestKilledSeed(t *testing.T) {
	var seeds []*seed
	var urls []string
	for range 3 {
		s := startAt(t, "127.0.0.1:0")
		seeds, urls = append(seeds, s), append(urls, "ws://"+s.address)
	}
	nodes := []*exchange.Exchange{node(t, urls), node(t, urls)}
	var link *exchange.Peer
	var stands time.Time
	eventually(t, nodes, "two nodes with two seeds each are connected, and no other connection replaces theirs", func() bool {
		var dialed []*exchange.Peer
		for _, ex := range nodes {
			seeds, peers := connected(ex)
			if len(seeds) != 2 || len(peers) != 1 {
				return false
			}
			if peers[0].Outgoing() {
				dialed = append(dialed, peers[0])
			}
		}
		if len(dialed) != 1 {
			return false
		}
		if link != dialed[0] {
			link, stands = dialed[0], time.Now()
		}
		return time.Since(stands) > 2*rivalryTime
	})
	echo(t, link, "before")

	at, _ := connected(nodes[0])
	victim := slices.IndexFunc(seeds, func(s *seed) bool { return s.address == at[0] })
	seeds[victim].kill()
	echo(t, link, "a seed was killed")
	for _, ex := range nodes {
		eventually(t, nodes, "a node has two seeds again", func() bool {
			at, _ := connected(ex)
			return len(at) == 2 && !slices.Contains(at, seeds[victim].address)
		})
	}
	newcomer := node(t, urls)
	nodes = append(nodes, newcomer)
	eventually(t, nodes, "somebody new finds a peer", func() bool {
		_, peers := connected(newcomer)
		return len(peers) > 0
	})

	seeds[victim] = startAt(t, seeds[victim].address)
	for i, s := range seeds {
		if i != victim {
			s.kill()
		}
	}
	echo(t, link, "the other seeds were killed")
	for _, ex := range nodes {
		eventually(t, nodes, "a node is back at the seed that was killed first", func() bool {
			at, _ := connected(ex)
			return slices.Equal(at, []string{seeds[victim].address})
		})
	}
	echo(t, link, "after")
}
