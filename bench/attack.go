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

// The peers of the row about an attacker: well-behaved ones ask now and then, and those
// of the attacker, at an address of its own, as often as the limits let each of them.
const (
	calmPeers     = 100
	calmEvery     = 250 * time.Millisecond
	attackerPeers = 120
	attackerEvery = 100 * time.Millisecond
	attackerIP    = "127.0.0.2"
	allocateEvery = 20 * time.Millisecond
)

// attack is the row about what peers notice of a client that opens relays and TURN
// allocations to its limits: how long all but one in a hundred of their requests take at
// most, by the same without the attacker.
func (b *benchmark) attack(ctx context.Context) ([]row, error) {
	const name = "p99 of getPeer beside an attacker; the ratio is to that without"
	if !b.wants(name) {
		return nil, nil
	}
	var beside, ratios, besideOther, ratiosOther []float64
	for range b.plan.rounds {
		before, during, err := b.attacked(ctx, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b.say("p99 %.2f ms alone, %.2f ms beside the attacker", before, during)
		beside, ratios = append(beside, during), append(ratios, during/before)
		if before, during, err = b.attacked(ctx, true); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, elsewhere, err)
		}
		b.say("p99 %.2f ms alone, %.2f ms while the attacker is at another seed", before, during)
		besideOther, ratiosOther = append(besideOther, during), append(ratiosOther, during/before)
	}
	ratio := median(ratios)
	return []row{
		{
			measured: name, here: fmt.Sprintf("%.2f ms", median(beside)), ratio: fmt.Sprintf("%.1fx", ratio),
			target: bound{value: 2, atMost: true, unit: "x"}.judge(ratio),
		},
		{measured: elsewhere, here: fmt.Sprintf("%.2f ms", median(besideOther)), ratio: fmt.Sprintf("%.1fx", median(ratiosOther))},
	}, nil
}

// elsewhere is the row of what the attacker costs everybody on this machine, whatever
// the seed does: it attacks another seed, on the same cores.
const elsewhere = "  for comparison: the attacker at another seed"

// attacked measures a seed with its usual limits before and during an attack, on it or
// on another one.
func (b *benchmark) attacked(ctx context.Context, other bool) (before, during float64, err error) {
	server, where, err := b.servers.startAttacked(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer server.Stop()
	victim := where
	if other {
		second, at, err := b.servers.startAttacked(ctx)
		if err != nil {
			return 0, 0, err
		}
		defer second.Stop()
		victim = at
	}
	group, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		err = errors.Join(err, group.Wait())
	}()
	calm := &load.Calm{Peers: calmPeers, Every: calmEvery}
	if err := begin(ctx, group, calm, where); err != nil {
		return 0, 0, err
	}
	if before, err = b.p99(ctx, server, calm); err != nil {
		return 0, 0, err
	}
	victim.From = attackerIP
	relays := &load.Calm{Peers: attackerPeers, Every: attackerEvery, Relayed: true}
	allocations := &load.Allocations{Every: allocateEvery}
	for _, attacker := range []load.Workload{relays, allocations} {
		if err := begin(ctx, group, attacker, victim); err != nil {
			return 0, 0, fmt.Errorf("attack: %w", err)
		}
	}
	if during, err = b.p99(ctx, server, calm); err != nil {
		return 0, 0, err
	}
	b.say("the attacker was answered %d times and has %d allocations", relays.Done(), allocations.Done())
	if relays.Done() == 0 || allocations.Done() == 0 {
		return 0, 0, errors.New("the attack came to nothing")
	}
	return before, during, nil
}

// begin runs a load until ctx is done.
func begin(ctx context.Context, group *errgroup.Group, w load.Workload, where load.Target) error {
	if err := w.Setup(ctx, where); err != nil {
		return err
	}
	group.Go(func() error { return w.Run(ctx) })
	return nil
}

// p99 is in milliseconds.
func (b *benchmark) p99(ctx context.Context, server *target.Server, calm *load.Calm) (float64, error) {
	if err := pause(ctx, b.plan.attack, server, nil); err != nil { // until it is all under way, and at its limits
		return 0, err
	}
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
