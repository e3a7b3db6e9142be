package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/peerexchange/peerexchange/internal/check"
)

const checkDescription = `Tries a seed from here as a stranger does, one step after the other, and says
what works, how long it takes, and what to look at where something does not.`

const checkNotes = `
A step that needs another one which failed is not tried. Some are not tried as there is nothing to
try, such as WebRTC to a seed with --webrtc-listen off; that is no failure.

Run it where the clients are: from the seed's own machine or network, firewalls are not seen, and
turn-ports is not tried.

What it does to the seed: less than twenty connections, of which four are nodes of the network for
a few seconds, and a dozen TURN allocations, two or three at a time. The two nodes that meet have a
transport of their own, so that they are offered to nobody else. Who else is offered is not dialed.

Exit status: 0 if nothing failed, 1 if something did, 2 if the command line makes no sense.

Examples:
  seed check seed.example.org
  seed check wss://203.0.113.7:8443 --ca tls.crt       # the seed's own, from its state directory
  seed check ws://127.0.0.1:8000 --skip ice            # without STUN and TURN
  seed check seed.example.org --json | jq -r '.steps[] | select(.result == "failed").name'
  SEED_CHECK_TOKEN=... seed check seed.example.org     # where members only are taken
`

// printCheckHelp is kong's help, and after it what flags cannot tell.
func printCheckHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	_, err := fmt.Fprint(ctx.Stdout, stepsHelp(), checkNotes)
	return err
}

// stepsHelp lists the steps.
func stepsHelp() string {
	var b strings.Builder
	b.WriteString("\nSteps:\n")
	width := 0
	for _, s := range check.Steps() {
		width = max(width, len(s.Name))
	}
	for _, s := range check.Steps() {
		fmt.Fprintf(&b, "  %-*s   %s\n", width, s.Name, s.Help)
	}
	return b.String()
}
