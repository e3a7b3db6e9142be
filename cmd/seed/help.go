package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/peerexchange/peerexchange/internal/seed"
)

const description = `A seed is the node of a peer-exchange network that is always there: peers that
know only the network ID and the seed's address find each other through it, and
it passes on the signaling that lets them connect directly.

"seed check URL" tries one that runs, from where you are: see seed check --help.`

// groups are the headings of the flags.
var groups = []kong.Group{
	{Key: "network", Title: "Network:"},
	{Key: "listen", Title: "Where to listen:"},
	{Key: "turn", Title: "TURN:"},
	{Key: "mesh", Title: "Several seeds:"},
	{Key: "run", Title: "How to run:"},
	{Key: "log", Title: "What to say:"},
}

const examples = `
Examples:
  For development, without TLS (a port with TLS and a self-signed certificate is opened too):
    seed --network-id demo --listen-plain 127.0.0.1:8000

  On a server, with a certificate from a public authority:
    seed --network-id demo --listen :443 --tls-cert fullchain.pem --tls-key privkey.pem

  Behind a proxy that does TLS, on a machine whose public address is 203.0.113.7:
    seed --network-id demo --listen off --listen-plain :8000 --external-ip 203.0.113.7 \
      --trusted-proxies 10.0.0.0/8

  For members only, who present a token:
    openssl rand -hex 32 >tokens
    seed --network-id demo --access token --token-file tokens

  For a load test from one address:
    seed --network-id demo --limit all=unlimited

  With the environment only:
    SEED_NETWORK_ID=demo SEED_LIMIT=peers=50000,peers-per-ip=512 seed
`

// printHelp is kong's help, and after it what flags cannot tell.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	_, err := fmt.Fprint(ctx.Stdout, limitsHelp(), examples)
	return err
}

// limitsHelp lists the limits with their defaults.
func limitsHelp() string {
	var b strings.Builder
	b.WriteString("\nLimits, with their defaults. A value is a whole number, a size such as 64KiB, a time such as 30s,\n" +
		"or unlimited. all=unlimited takes away every rate and count, for load tests.\n")
	defaults := seed.DefaultLimits()
	width := 0
	for _, name := range seed.LimitNames() {
		width = max(width, len(name)+1+len(defaults.Get(name)))
	}
	for _, name := range seed.LimitNames() {
		fmt.Fprintf(&b, "  %-*s   %s\n", width, name+"="+defaults.Get(name), seed.LimitHelp(name))
	}
	return b.String()
}
