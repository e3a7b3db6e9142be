package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/peerexchange/peerexchange/bench/internal/load"
	"github.com/peerexchange/peerexchange/bench/internal/target"
)

// The well-behaved peers of the row about an attacker ask now and then. The attacker is at an address of its own, and
// its limits let it have this much.
const (
	calmPeers = 100
	calmEvery = 250 * time.Millisecond

	attackerIP          = "127.0.0.2"
	attackerAnswers     = 1200 // a second: what 120 peers are answered to getPeer
	attackerAllocations = 128  // what one client's credentials are good for
)

// attack is the row about what peers notice of a client that opens relays and TURN
// allocations to its limits: how long all but one in a hundred of their requests take at
// most, by the same without the attacker.
func (b *benchmark) attack(ctx context.Context) ([]row, error) {
	const name = "p99 of getPeer beside an attacker; the ratio is to that without"
	if !b.wants(name) {
		return nil, nil
	}
	var beside, ratios []float64
	strong := true
	for range b.plan.attacks {
		r, err := b.attackRound(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b.say("p99 %.2f ms alone, %.2f ms beside the attacker, which had %.0f answers a second and %d allocations",
			r.before, r.during, r.answers, r.allocations)
		beside, ratios = append(beside, r.during), append(ratios, r.during/r.before)
		strong = strong && r.strong()
	}
	ratio := median(ratios)
	made := row{
		measured: name, here: fmt.Sprintf("%.2f ms", median(beside)), ratio: fmt.Sprintf("%.1fx", ratio),
		target: bound{value: 2, atMost: true, unit: "x"}.judge(ratio),
	}
	if !strong {
		made.target = "not judged: the attacker had less than its limits let it have"
	}
	return []row{made}, nil
}

// attackRound is what one round measured.
type attackRound struct {
	before, during float64 // p99 in milliseconds
	answers        float64 // that the attacker had a second, during
	allocations    int64   // that it had at the end
}

// strong tells whether the attacker had what its limits let it have.
func (r attackRound) strong() bool {
	return r.answers >= 0.95*attackerAnswers && r.allocations >= attackerAllocations
}

// attackRound measures a seed with its usual limits before and during an attack.
func (b *benchmark) attackRound(ctx context.Context) (r attackRound, err error) {
	server, seed, err := b.servers.startAttacked(ctx)
	if err != nil {
		return r, err
	}
	defer server.Stop()
	group, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		err = errors.Join(err, group.Wait())
	}()
	calm := &load.Calm{Peers: calmPeers, Every: calmEvery}
	if err := calm.Setup(ctx, seed); err != nil {
		return r, err
	}
	group.Go(func() error { return calm.Run(ctx) })
	if err := pause(ctx, b.plan.attack, server, nil); err != nil { // until all have begun
		return r, err
	}
	began := time.Now()
	others, err := server.Others()
	if err != nil {
		return r, err
	}
	if r.before, err = b.p99(ctx, server, calm); err != nil {
		return r, err
	}
	// Once it has begun, the attacker would be one of the others.
	disturbed, err := server.Others()
	if err != nil {
		return r, err
	}
	b.disturbed = max(b.disturbed, (disturbed-others).Seconds()/time.Since(began).Seconds())

	attacker, err := b.servers.startAttacker(ctx, seed)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, attacker.stop()) }()
	if err := pause(ctx, b.plan.attack, server, nil); err != nil { // until it is at its limits
		return r, err
	}
	from, err := attacker.got()
	if err != nil {
		return r, err
	}
	if r.during, err = b.p99(ctx, server, calm); err != nil {
		return r, err
	}
	to, err := attacker.got()
	if err != nil {
		return r, err
	}
	r.answers = float64(to.answers-from.answers) / to.at.Sub(from.at).Seconds()
	r.allocations = to.allocations
	return r, nil
}

// p99 measures for a while. It is in milliseconds.
func (b *benchmark) p99(ctx context.Context, server *target.Server, calm *load.Calm) (float64, error) {
	calm.Times()
	if err := pause(ctx, b.plan.attack, server, nil); err != nil {
		return 0, err
	}
	times := calm.Times()
	if len(times) < 100 {
		return 0, fmt.Errorf("there were only %d answers", len(times))
	}
	slices.Sort(times)
	return float64(times[len(times)*99/100]) / float64(time.Millisecond), nil
}

// startAttacked starts a seed with TURN and with its own limits.
func (s *servers) startAttacked(ctx context.Context) (*target.Server, load.Target, error) {
	var addrs [2]string
	for i := range addrs {
		port, err := target.FreePort()
		if err != nil {
			return nil, load.Target{}, err
		}
		addrs[i] = target.Loopback(port)
	}
	state, err := os.MkdirTemp(s.dir, "state-")
	if err != nil {
		return nil, load.Target{}, err
	}
	server, err := target.Start(ctx, target.Command{
		Name: "seed",
		Path: s.seed,
		Args: []string{
			"--listen", "off", "--listen-plain", addrs[0], "--turn-listen", addrs[1], "--turn-relay-ip", "127.0.0.1",
			"--network-id", networkID, "--webrtc-listen", "off", "--admin-listen", "off", "--state-dir", state,
			// Nobody is at the addresses that the peers announce.
			"--verify-candidates=false", "--log-level", "warn",
		},
		Split: s.split,
	}, addrs[0])
	return server, load.Target{Addr: addrs[0], TURN: addrs[1], NetworkID: networkID}, err
}
