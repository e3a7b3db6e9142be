// Command operator makes a bootstrap cluster of every PeerNetwork resource of a
// Kubernetes cluster: seeds, their addresses, certificates and secrets. Run it with
// --help.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	_ "golang.org/x/crypto/x509roots/fallback" // the image has no certificates of authorities, and the operator reaches seeds as clients do
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/peerexchange/peerexchange/internal/operator"
)

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	flags, err := parse(args, os.Stdout)
	if err != nil {
		fmt.Fprintf(os.Stderr, "operator: %v\nRun \"operator --help\" for more information.\n", err)
		return exitUsage
	}
	if flags == nil {
		return exitOK // help was asked for
	}
	settings := flags.config(os.Stderr)
	log.SetLogger(logr.FromSlogHandler(settings.Logger.Handler())) // what libraries say of their own accord
	api, err := config.GetConfig()
	if err == nil {
		err = operator.Run(ctx, api, settings)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "operator: %v\n", err)
		return exitError
	}
	return exitOK
}
