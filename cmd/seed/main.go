// Command seed runs a bootstrap node of a peer-exchange network: peers that know
// only the network ID and the address of this node find each other through it.
// Run it with --help. "seed check URL" tries one that runs.
package main

import (
	"context"
	"fmt"
	"os"

	_ "golang.org/x/crypto/x509roots/fallback" // the image has no certificates of authorities, and a seed verifies names that peers announce

	"github.com/peerexchange/peerexchange/internal/seed"
)

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func main() {
	os.Exit(run(untilSignal(), os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	if len(args) > 0 && args[0] == checkCommand {
		return runCheck(ctx, args[1:])
	}
	flags, err := parse(args, os.Stdout)
	if err != nil {
		fmt.Fprintf(os.Stderr, "seed: %v\nRun \"seed --help\" for more information.\n", err)
		return exitUsage
	}
	if flags == nil {
		return exitOK // help or version was asked for
	}
	s, err := seed.New(ctx, flags.config(flags.logger(os.Stderr)))
	if err != nil {
		fmt.Fprintf(os.Stderr, "seed: %v\n", err)
		return exitError
	}
	fmt.Print(s.Welcome())
	if err := serve(ctx, s); err != nil {
		fmt.Fprintf(os.Stderr, "seed: %v\n", err)
		return exitError
	}
	return exitOK
}
