// Command attacker opens relays and TURN allocations at a seed, as fast as its limits let a client at one address. It is
// a process of its own so that the kernel can prefer whoever measures what others notice of it.
//
//	attacker ADDR TURN-ADDR NETWORK-ID FROM-IP
//
// It answers every line on its standard input with how many answers to getPeer and how many allocations it got until
// then, and ends when its standard input does.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/peerexchange/peerexchange/bench/internal/load"
)

// How often each peer asks is how often it may.
const (
	peers         = 120
	askEvery      = 100 * time.Millisecond
	allocateEvery = 20 * time.Millisecond
)

func main() {
	log.SetPrefix("attacker: ")
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("usage: attacker ADDR TURN-ADDR NETWORK-ID FROM-IP")
	}
	seed := load.Target{Addr: os.Args[1], TURN: os.Args[2], NetworkID: os.Args[3], From: os.Args[4]}
	if err := attack(seed); err != nil {
		log.Fatal(err)
	}
}

func attack(seed load.Target) error {
	group, ctx := errgroup.WithContext(context.Background())
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	relays := &load.Calm{Peers: peers, Every: askEvery, Relayed: true}
	allocations := &load.Allocations{Every: allocateEvery}
	for _, l := range []load.Workload{relays, allocations} {
		if err := l.Setup(ctx, seed); err != nil {
			return err
		}
		group.Go(func() error { return l.Run(ctx) })
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() && ctx.Err() == nil {
		fmt.Println(relays.Done(), allocations.Done())
		relays.Times() // nobody wants them, and they would add up
	}
	stop()
	return group.Wait()
}
