package load

import (
	"context"
	"runtime"
	"strings"
	"testing"
)

// runUntil runs a workload until it has done n, and returns what it has done once it ended.
func runUntil(t *testing.T, w Workload, target Target, n int64) int64 {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if err := w.Setup(ctx, target); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for w.Done() < n {
		select {
		case err := <-ended:
			t.Fatalf("workload ended early: %v", err)
		default:
			runtime.Gosched()
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return w.Done()
}

func TestHandshakes(t *testing.T) {
	s := newFakeSeed(t)
	done := runUntil(t, &Handshakes{Clients: 3}, s.target(), 20)
	s.mu.Lock()
	defer s.mu.Unlock()
	if int64(s.ready) < done || int64(s.closed) < done {
		t.Errorf("%d counted, but seed saw %d ready and %d closed", done, s.ready, s.closed)
	}
}

func TestGetPeer(t *testing.T) {
	for name, how := range map[string]Introduction{"direct": Direct, "relayed": Relayed, "signaled": Signaled} {
		t.Run(name, func(t *testing.T) {
			s := newFakeSeed(t)
			g := &GetPeer{Introduction: how, Candidates: 2, Askers: 3, InFlight: 4}
			done := runUntil(t, g, s.target(), 50)
			s.mu.Lock()
			defer s.mu.Unlock()
			if int64(s.nonces) < done {
				t.Errorf("%d counted, but seed answered %d", done, s.nonces)
			}
			if told := g.Incoming(); (how == Direct) != (told == 0) {
				t.Errorf("candidates were told of %d", told)
			}
		})
	}
}

func TestGetPeerWithoutCandidates(t *testing.T) {
	s := newFakeSeed(t)
	g := &GetPeer{Introduction: Direct, Askers: 1, InFlight: 1}
	if err := g.Setup(t.Context(), s.target()); err != nil {
		t.Fatal(err)
	}
	if err := g.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "offered nobody") {
		t.Errorf("error is %v, want one about nobody offered", err)
	}
}

func TestIdle(t *testing.T) {
	s := newFakeSeed(t)
	idle := &Idle{Target: s.target()}
	defer idle.Close()
	for _, n := range []int{5, 8} {
		if err := idle.Grow(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if len(idle.clients) != n {
			t.Fatalf("%d clients, want %d", len(idle.clients), n)
		}
	}
	if err := idle.Err(); err != nil {
		t.Fatal(err)
	}

	s.mu.Lock()
	for ws := range s.open {
		ws.Close()
	}
	s.mu.Unlock()
	idle.group.Wait()
	if idle.Err() == nil {
		t.Error("lost peers were not reported")
	}
}
