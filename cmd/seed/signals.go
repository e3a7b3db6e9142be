package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/peerexchange/peerexchange/internal/seed"
)

// errTerminated is why the context of a program ends that was sent SIGTERM, as
// service managers do. A person's Ctrl-C has no reason: whoever waits for a prompt
// does not want to wait for peers.
var errTerminated = errors.New("terminated")

// untilSignal returns a context that ends with the first signal. A second one ends
// the program at once.
//
// SIGHUP ends it too when its terminal is closed. Of a program without one, an operator
// asks by it to read its files again, which a seed does by itself.
func untilSignal() context.Context {
	if !hasTerminal() {
		signal.Ignore(syscall.SIGHUP)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		first := <-signals
		signal.Stop(signals)
		if first == syscall.SIGTERM {
			cancel(errTerminated)
		}
		cancel(nil)
	}()
	return ctx
}

// hasTerminal tells whether a terminal controls the program.
func hasTerminal() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	terminal.Close()
	return true
}

// serve runs a seed until the signal, and has it drain if that was SIGTERM.
func serve(ctx context.Context, s *seed.Seed) error {
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer context.AfterFunc(ctx, func() {
		if context.Cause(ctx) == errTerminated {
			s.Drain()
		} else {
			end()
		}
	})()
	return s.Run(running)
}
