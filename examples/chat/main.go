// Command chat is a chat of everybody in a network: it finds the others through
// a seed, and talks with each of them directly, or where there is no direct way
// through the TURN server of the seed. Nothing of that is configured.
//
//	go run ./examples/chat --seed ws://127.0.0.1:8000 --network demo --name alice
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

func main() {
	seed := flag.String("seed", "ws://127.0.0.1:8000", "URL of a seed")
	network := flag.String("network", "demo", "network ID")
	name := flag.String("name", "somebody", "what others call you")
	flag.Parse()
	if err := chat(*seed, *network, *name); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func chat(seed, network, name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ex, err := exchange.New(network, exchange.Config{OnPeer: func(p *exchange.Peer) {
		if p.Transport() == transports.WebRTC { // not the seed
			say(p, "* %s is here\n", name)
		}
		go listen(p)
	}})
	if err != nil {
		return err
	}
	defer ex.Close()
	if err := ex.Accept(ctx, transports.WebRTC, transports.Options{}); err != nil {
		return err
	}
	keeper, err := exchange.NewMaintainer(ex, exchange.MaintainerConfig{
		Seeds: []string{seed}, Peers: 16, MaxBackoff: 5 * time.Second, Logger: slog.Default(),
	})
	if err != nil {
		return err
	}
	go func() {
		defer stop()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			for _, p := range ex.Peers() {
				say(p, "%s: %s\n", name, lines.Text())
			}
		}
	}()
	_ = keeper.Run(ctx) // until Ctrl-C or the end of the input
	return nil
}

// listen prints what a peer says.
func listen(p *exchange.Peer) {
	defer p.Close()
	for lines := bufio.NewScanner(p); lines.Scan(); {
		fmt.Println(lines.Text())
	}
}

// say does not wait for a peer that does not listen.
func say(p *exchange.Peer, format string, args ...any) {
	p.SetWriteDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(p, format, args...)
}
