// Command filetransfer sends a file to another machine, directly: the two find
// each other through a seed and agree on a code word. On the one, then on the
// other:
//
//	go run ./examples/filetransfer --seed ws://127.0.0.1:8000 --network demo --code parsley receive DIRECTORY
//	go run ./examples/filetransfer --seed ws://127.0.0.1:8000 --network demo --code parsley send FILE
//
// What they say to each other is in transfer.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

type options struct{ seed, network, code string }

func main() {
	var o options
	flag.StringVar(&o.seed, "seed", "ws://127.0.0.1:8000", "URL of a seed")
	flag.StringVar(&o.network, "network", "demo", "network ID")
	flag.StringVar(&o.code, "code", "", "a word that sender and receiver agree on")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: filetransfer [flags] --code WORD send FILE | receive DIRECTORY")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "filetransfer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, command, path string) error {
	if o.code == "" || path == "" {
		flag.Usage()
		return errors.New("what to do is not clear")
	}
	switch command {
	case "send":
		// Others of the network may be there for other reasons, so the sender
		// goes on looking until it has met the receiver.
		return meet(ctx, o, 64, func(p *exchange.Peer) error { return send(p, o.code, path) })
	case "receive":
		return meet(ctx, o, -1, func(p *exchange.Peer) error { return receive(p, o.code, path) })
	default:
		return fmt.Errorf("%q is neither send nor receive", command)
	}
}

// errStranger says that a peer is not the one to exchange a file with.
var errStranger = errors.New("not the one")

// meet joins the network and talks with every peer, until talk has an outcome
// with one of them.
func meet(ctx context.Context, o options, peers int, talk func(*exchange.Peer) error) error {
	outcome := make(chan error)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ex, err := exchange.New(o.network, exchange.Config{OnPeer: func(p *exchange.Peer) {
		if p.Transport() != transports.WebRTC {
			return // the seed
		}
		go func() {
			defer p.Close()
			if err := talk(p); !errors.Is(err, errStranger) {
				select {
				case outcome <- err:
				case <-ctx.Done():
				}
			}
		}()
	}})
	if err != nil {
		return err
	}
	defer ex.Close()
	if err := ex.Accept(ctx, transports.WebRTC, transports.Options{}); err != nil {
		return err
	}
	keeper, err := exchange.NewMaintainer(ex, exchange.MaintainerConfig{
		Seeds: []string{o.seed}, Peers: peers, MaxBackoff: 5 * time.Second, Logger: slog.Default(),
	})
	if err != nil {
		return err
	}
	go func() { _ = keeper.Run(ctx) }() // until the end
	select {
	case err := <-outcome:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
