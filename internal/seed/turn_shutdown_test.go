package seed

import (
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/internal/turn"
)

// TestDrainLetsAllocationsEnd shuts a seed down with an allocation in each of the
// server's ways, which relay on until their clients give them back.
func TestDrainLetsAllocationsEnd(t *testing.T) {
	ctx := testContext(t)
	cfg := turnConfig(t)
	cfg.DrainTimeout = 10 * stepTime
	s := startSeed(t, cfg)
	peer := startEcho(t)
	urls, username, credential := s.relays(t)
	for _, url := range urls {
		relay, err := s.dialTURN(t, url, username, credential).Allocate()
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			echo(t, relay, peer.LocalAddr())
			if err := relay.Close(); err != nil {
				t.Error(err)
			}
		}()
	}

	late := s.dialTURN(t, urls[0], username, credential)
	s.Drain()
	// The server refuses allocations once the seed has got there.
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !s.turn.server.Stats().Draining {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatal("the TURN server does not drain")
		}
	}
	if _, err := late.Allocate(); err == nil {
		t.Error("a new allocation was made")
	}
	select {
	case err := <-s.ended:
		t.Fatalf("the seed ended: %v", err)
	default:
	}
	if n := s.turn.allocations(); n != len(urls) {
		t.Errorf("%d allocations are left, want %d", n, len(urls))
	}
}

// TestDrainCutsAllocationsOff does not wait for longer than it is to.
func TestDrainCutsAllocationsOff(t *testing.T) {
	cfg := turnConfig(t)
	cfg.DrainTimeout = time.Millisecond
	s := startSeed(t, cfg)
	username, credential, _ := s.turn.server.Credentials("test")
	relay, err := s.dialTURN(t, "turn:"+s.turn.server.Addrs(turn.TransportUDP)[0].String(), username, credential).Allocate()
	if err != nil {
		t.Fatal(err)
	}
	s.Drain()
	if err := <-s.ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	s.ended <- nil
	if n := s.turn.allocations(); n != 0 {
		t.Errorf("%d allocations are left", n)
	}
	relay.Close()
}

// TestTURNEndsWithASeedThatNeverRan leaves nothing open.
func TestTURNEndsWithASeedThatNeverRan(t *testing.T) {
	addr := freePort(t)
	for range 2 {
		cfg := turnConfig(t)
		cfg.TURNListen = []string{addr}
		s, err := New(t.Context(), cfg)
		if err != nil {
			t.Fatalf("is the port still taken? %v", err)
		}
		s.Close()
	}
}

// TestTURNPortThatIsTaken says what to do about it.
func TestTURNPortThatIsTaken(t *testing.T) {
	first := startSeed(t, turnConfig(t))
	cfg := turnConfig(t)
	cfg.TURNListen = []string{first.turn.server.Addrs(turn.TransportTCP)[0].String()}
	_, err := New(t.Context(), cfg)
	for _, want := range []string{cfg.TURNListen[0], "--turn-listen off"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
}
