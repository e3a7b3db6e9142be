package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// stage is an entry of the plan: a step that is to be tried.
type stage struct {
	name  string
	help  string
	needs []string
	try   func(*Check, context.Context) Step
}

// plan is what is tried, in this order: first what the rest stands on, and then
// what costs the seed more.
var plan = []stage{
	{"dns", "the host has addresses", nil, (*Check).dns},
	{"tcp", "each of them takes connections", []string{"dns"}, (*Check).tcp},
	{"tls", "the certificate: chain, name, expiry", []string{"tcp"}, (*Check).tls},
	{"document", "/.well-known/peer-exchange tells the network and its addresses", []string{"tls"}, (*Check).document},
	{"websocket", "HTTP becomes a websocket", []string{"tls"}, (*Check).websocket},
	{"hello", "the seed takes a node of the network", []string{"websocket"}, (*Check).hello},
	{"getpeer", "it answers who asks for a peer", []string{"hello"}, (*Check).getPeer},
	{"introduction", "two nodes meet through it, over WebRTC", []string{"hello"}, (*Check).introduction},
	{"webrtc", "a WebRTC connection to the seed itself", []string{"hello"}, (*Check).webRTC},
	{"ice", "/ice gives out STUN and TURN servers", []string{"tls"}, (*Check).ice},
	{"stun", "STUN over UDP tells the own address", []string{"ice"}, (*Check).stun},
	{"turn-udp", "a TURN allocation over UDP, and an echo through it", []string{"ice", "stun"}, turnBy(byUDP)},
	{"turn-tcp", "the same over TCP", []string{"ice"}, turnBy(byTCP)},
	{"turn-tls", "the same over TLS", []string{"ice"}, turnBy(byTLS)},
	{"turn-ports", "a relayed address is reached from outside", []string{"stun"}, (*Check).turnPorts},
	{"relay-udp", "two nodes meet over WebRTC by TURN alone, over UDP", []string{"turn-udp"}, relayBy(byUDP)},
	{"relay-tcp", "the same over TCP", []string{"turn-tcp"}, relayBy(byTCP)},
	{"relay-tls", "the same over TLS", []string{"turn-tls"}, relayBy(byTLS)},
}

// StepHelp is the name of a step, and what it tries.
type StepHelp struct{ Name, Help string }

// Steps lists the steps in the order in which they are tried.
func Steps() []StepHelp {
	var all []StepHelp
	for _, s := range plan {
		all = append(all, StepHelp{s.name, s.help})
	}
	return all
}

// leaves tells whether a name given to Config.Skip leaves a step out: its own, or
// what it begins with, such as turn for turn-udp.
func leaves(skip, step string) bool { return step == skip || strings.HasPrefix(step, skip+"-") }

// checkSkip tells whether there are steps of that name.
func checkSkip(skip string) error {
	if slices.ContainsFunc(plan, func(s stage) bool { return leaves(skip, s.name) }) {
		return nil
	}
	var names []string
	for _, s := range plan {
		names = append(names, s.name)
	}
	return fmt.Errorf("no step %q; there are %s, and turn and relay for all that begin so", skip, strings.Join(names, ", "))
}
