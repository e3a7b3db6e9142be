// Command turn compares what relaying a message costs this repository's TURN server with
// coturn and with pion/turn as it comes, side by side on this machine, and prints one
// table: each server in turns under the same load of coturn's own client, which sends to a
// peer that sends everything back, and for each the processor time that it used (/proc)
// by the messages that it relayed. It needs Linux and Debian's package coturn.
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
		fmt.Fprintln(os.Stderr, "bench/turn:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	short := flag.Bool("short", false, "measure less: under a minute, rough ratios")
	only := flag.String("only", "", "make the rows that match this regular expression")
	share := flag.Bool("share-cores", false, "let servers run on every core, instead of one that is theirs")
	verbose := flag.Bool("v", false, "print every single measurement")
	which := flag.String("serve", "", "be a server that is measured: here or pion")
	port := flag.Int("port", 0, "of that server")
	flag.Parse()
	if *which != "" {
		return serve(*which, *port)
	}
	b := &benchmark{plan: fullPlan, log: os.Stderr, verbose: *verbose}
	if *short {
		b.plan = shortPlan
	}
	var err error
	if b.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	if !*share {
		if b.split, err = target.NewSplit(); err != nil {
			return err
		}
	}
	if err := b.prepare(); err != nil {
		return err
	}
	var rows []row
	err = b.split.Aside(func() error {
		rows, err = b.rows(ctx)
		return err
	})
	return errors.Join(err, printTable(os.Stdout, rows))
}
