// Command bench compares this seed with the published npm seed, side by side on this machine, and prints one table. See
// README.md in this directory for what each row means.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/peerexchange/peerexchange/bench/internal/target"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	short := flag.Bool("short", false, "measure less: under a minute, rough ratios")
	only := flag.String("only", "", "make the rows that match this regular expression")
	seed := flag.String("seed", "", "measure this seed binary instead of building ./cmd/seed")
	share := flag.Bool("share-cores", false, "let servers run on every core, instead of one that is theirs")
	verbose := flag.Bool("v", false, "print every single measurement")
	flag.Parse()

	b := &benchmark{plan: fullPlan(), log: os.Stderr, verbose: *verbose}
	if *short {
		b.plan = shortPlan()
	}
	if b.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	var split *target.Split
	if !*share {
		if split, err = target.NewSplit(); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "peer-exchange-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if b.servers, err = prepare(ctx, *seed, dir, split); err != nil {
		return err
	}
	rows, err := b.rows(ctx)
	return errors.Join(err, printTable(os.Stdout, rows))
}
