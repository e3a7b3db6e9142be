package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/peerexchange/peerexchange/bench/internal/load"
	"github.com/peerexchange/peerexchange/bench/internal/target"
)

// The shape of the load: what keeps either server busy with a generator that has one core.
const (
	handshakeClients = 8
	candidates       = 16
	askers           = 16
	inFlight         = 4
)

func getPeer(how load.Introduction) func() load.Workload {
	return func() load.Workload {
		return &load.GetPeer{Introduction: how, Candidates: candidates, Askers: askers, InFlight: inFlight}
	}
}

// rates are the rows about what a server does in a second of processor time.
func (b *benchmark) rates(ctx context.Context) ([]row, error) {
	var rows []row
	for _, r := range []struct {
		name   string
		load   func() load.Workload
		target bound
	}{
		{
			"websocket handshakes to ready, per CPU-second",
			func() load.Workload { return &load.Handshakes{Clients: handshakeClients} },
			bound{value: 5, unit: "x"},
		},
		{"getPeer answers, direct, per CPU-second", getPeer(load.Direct), bound{value: 8, unit: "x"}},
		{"getPeer answers, relayed, per CPU-second", getPeer(load.Relayed), bound{value: 10, unit: "x"}},
		{"signaled introductions, per CPU-second", getPeer(load.Signaled), bound{}},
	} {
		if !b.wants(r.name) {
			continue
		}
		made, err := b.compareRates(ctx, r.name, r.load, r.target)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", r.name, err)
		}
		rows = append(rows, made)
	}
	return rows, nil
}

// compareRates measures both seeds in turns. The ratio is the median of the rounds' ratios, so that a busy moment of the
// machine spoils one round and not the comparison.
func (b *benchmark) compareRates(ctx context.Context, name string, w func() load.Workload, target bound) (row, error) {
	var here, npm, ratios []float64
	for range b.plan.rounds {
		ours, err := b.rate(ctx, "here", b.servers.startSeed, w(), b.plan.warm)
		if err != nil {
			return row{}, fmt.Errorf("here: %w", err)
		}
		here = append(here, ours)
		if !b.servers.hasNPM() {
			continue
		}
		theirs, err := b.rate(ctx, "npm", b.servers.startNPM, w(), b.plan.warmJS)
		if err != nil {
			return row{}, fmt.Errorf("npm: %w", err)
		}
		npm = append(npm, theirs)
		ratios = append(ratios, ours/theirs)
	}
	made := row{measured: name, here: grouped(median(here))}
	if len(npm) > 0 {
		ratio := median(ratios)
		made.npm, made.ratio, made.target = grouped(median(npm)), fmt.Sprintf("%.1fx", ratio), target.judge(ratio)
	}
	return made, nil
}

// rate starts a server of its own, so that nothing left over from an earlier measurement is paid for in this one, loads
// it, and returns how much it did in a second of its processor time.
func (b *benchmark) rate(
	ctx context.Context, name string, s start, w load.Workload, warm span,
) (perCPUSecond float64, err error) {
	server, where, err := s(ctx)
	if err != nil {
		return 0, err
	}
	defer server.Stop()

	if err := w.Setup(ctx, where); err != nil {
		return 0, fmt.Errorf("set up the load: %w", err)
	}
	loading, stop := context.WithCancel(ctx)
	var failed error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		failed = w.Run(loading)
	}()
	perCPUSecond, busy, err := b.window(ctx, server, w, warm, ended)
	stop()
	<-ended
	if err := errors.Join(err, failed); err != nil {
		return 0, err
	}
	b.say("%-4s %12s per CPU-second, server busy %3.0f%%", name, grouped(perCPUSecond), 100*busy)
	return perCPUSecond, nil
}

// window reads what was done and what it cost between two moments. busy is the server's share of one core: a server that
// has time to spare does more work for each request than one that is pressed.
func (b *benchmark) window(
	ctx context.Context, server *target.Server, w load.Workload, warm span, ended <-chan struct{},
) (perCPUSecond, busy float64, err error) {
	if _, err := spend(ctx, warm, server, ended); err != nil {
		return 0, 0, fmt.Errorf("warm up: %w", err)
	}
	othersBefore, err := server.Others()
	if err != nil {
		return 0, 0, err
	}
	began, before := time.Now(), w.Done()
	used, err := spend(ctx, b.plan.window, server, ended)
	done, elapsed := w.Done()-before, time.Since(began)
	if err != nil {
		return 0, 0, fmt.Errorf("measure: %w", err)
	}
	others, err := server.Others()
	if err != nil {
		return 0, 0, err
	}
	b.disturbed = max(b.disturbed, (others-othersBefore).Seconds()/elapsed.Seconds())
	if done == 0 || used == 0 {
		return 0, 0, errors.New("nothing was done in the measured time")
	}
	return float64(done) / used.Seconds(), used.Seconds() / elapsed.Seconds(), nil
}

var errEnded = errors.New("load ended early")

// spend lets the load run until the server has used as much processor time as the span says, and returns how much it was.
func spend(ctx context.Context, s span, server *target.Server, ended <-chan struct{}) (used time.Duration, err error) {
	before, err := server.CPU()
	if err != nil {
		return 0, err
	}
	for end := time.Now().Add(s.atMost); used < s.cpu && time.Now().Before(end); {
		if err := pause(ctx, 20*time.Millisecond, server, ended); err != nil {
			return 0, err
		}
		now, err := server.CPU()
		if err != nil {
			return 0, err
		}
		used = now - before
	}
	return used, nil
}

// pause lets the load run, unless it or the server ends before.
func pause(ctx context.Context, d time.Duration, server *target.Server, ended <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return server.Err()
	case <-ended:
		return errors.Join(errEnded, server.Err())
	case <-ctx.Done():
		return ctx.Err()
	}
}
