package main

import (
	"context"
	"fmt"

	"github.com/peerexchange/peerexchange/bench/internal/load"
	"github.com/peerexchange/peerexchange/bench/internal/target"
)

// firstPeers are connected before memory is first read: what they make a server load and set up is no peer's.
const firstPeers = 50

// memory are the rows about what an idle peer holds.
func (b *benchmark) memory(ctx context.Context) ([]row, error) {
	var rows []row
	for _, r := range []struct {
		name   string
		here   start
		npm    start // nil: it has nothing like it
		echo   bool
		target bound
	}{
		{"memory per idle websocket peer", b.servers.startSeed, b.servers.startNPM, false, bound{20, true, " KiB"}},
		{"memory per idle websocket peer, TLS", b.servers.startSeedTLS, nil, false, bound{30, true, " KiB"}},
		{"  for comparison: bare gorilla connection", b.servers.startGorilla, nil, true, bound{}},
		{"  for comparison: bare gorilla connection, TLS", b.servers.startGorillaTLS, nil, true, bound{}},
	} {
		if !b.wants(r.name) {
			continue
		}
		here, err := b.resident(ctx, r.here, r.echo)
		if err != nil {
			return rows, fmt.Errorf("%s: here: %w", r.name, err)
		}
		made := row{measured: r.name, here: kib(here), target: r.target.judge(here / 1024)}
		if r.npm != nil && b.servers.hasNPM() {
			npm, err := b.resident(ctx, r.npm, r.echo)
			if err != nil {
				return rows, fmt.Errorf("%s: npm: %w", r.name, err)
			}
			made.npm, made.ratio = kib(npm), fmt.Sprintf("1/%.1f", npm/here)
		}
		rows = append(rows, made)
	}
	return rows, nil
}

func kib(n float64) string { return fmt.Sprintf("%.1f KiB", n/1024) }

// resident returns the resident bytes of an idle peer: the median over the plan's numbers of peers, because what a
// garbage collector has not given back yet differs from one moment to another.
func (b *benchmark) resident(ctx context.Context, s start, echo bool) (float64, error) {
	server, where, err := s(ctx)
	if err != nil {
		return 0, err
	}
	defer server.Stop()
	idle := &load.Idle{Target: where, Echo: echo}
	defer idle.Close()

	if err := idle.Grow(ctx, firstPeers); err != nil {
		return 0, fmt.Errorf("connect the first idle peers: %w", err)
	}
	before, err := b.settled(ctx, server)
	if err != nil {
		return 0, err
	}
	perPeer := make([]float64, 0, len(b.plan.peers))
	for _, n := range b.plan.peers {
		if err := idle.Grow(ctx, n); err != nil {
			return 0, fmt.Errorf("connect idle peers up to %d: %w", n, err)
		}
		now, err := b.settled(ctx, server)
		if err != nil {
			return 0, err
		}
		each := float64(now-before) / float64(n-firstPeers)
		b.say("%5d peers: %s each", n, kib(each))
		perPeer = append(perPeer, each)
	}
	return median(perPeer), idle.Err()
}

func (b *benchmark) settled(ctx context.Context, server *target.Server) (int64, error) {
	if err := pause(ctx, b.plan.settle, server, nil); err != nil {
		return 0, err
	}
	return server.Resident()
}
