package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/peerexchange/peerexchange/kind-test/cluster"
)

func main() {
	// Whoever reads our output may have gone too, and the cluster is to be removed all the same.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	if err := run(ctx, cluster.NewProgress(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "kind-test:", err)
		os.Exit(1)
	}
}
