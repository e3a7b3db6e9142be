package operator

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
)

// A seed is published by what was found of it, and until something is by what is out;
// an address that was not reached is published in no case, and a seed without any that
// was has all of them for a person to look at.
func TestTell(t *testing.T) {
	const all, turns = "wss:a wss:b tls:a", "stun:a turn:a turns:a"
	before := func(reason v1.SeedReason, addresses, turn string) *v1.SeedStatus {
		return &v1.SeedStatus{
			Reason: reason, Message: "before", Reachable: strings.Contains(addresses, "published"),
			Addresses: strings.Fields(strings.TrimSuffix(addresses, "published")), TURNAddresses: strings.Fields(turn),
		}
	}
	found := func(reason v1.SeedReason, silent string) probe.Sighting {
		out := strings.Fields(silent)
		return probe.Sighting{Reason: reason, Message: "found", Silent: out, Reachable: reason != v1.SeedNotProbed && !strings.Contains(silent, all)}
	}
	const asks = "its addresses are about to be tried for the first time"
	for name, c := range map[string]struct {
		before    *v1.SeedStatus
		found     probe.Sighting
		reason    v1.SeedReason
		message   string
		addresses string // of all
		turn      string // of turns
		reachable bool
	}{
		"all is reached":               {nil, found(v1.SeedReached, ""), v1.SeedReached, "found", all, turns, true},
		"UDP is not":                   {nil, found(v1.SeedSTUNFailed, "stun:a"), v1.SeedSTUNFailed, "found", all, "turn:a turns:a", true},
		"no TURN is":                   {before(v1.SeedReached, all+" published", turns), found(v1.SeedTURNFailed, "turns:a turn:a stun:a"), v1.SeedTURNFailed, "found", all, "", true},
		"TURN is again":                {before(v1.SeedTURNFailed, all+" published", "stun:a"), found(v1.SeedReached, ""), v1.SeedReached, "found", all, turns, true},
		"one address is not":           {before(v1.SeedReached, all+" published", turns), found(v1.SeedDialFailed, "wss:a"), v1.SeedDialFailed, "found", "wss:b tls:a", turns, true},
		"one address is":               {nil, found(v1.SeedTLSFailed, "wss:a wss:b turns:a"), v1.SeedTLSFailed, "found", "tls:a", "stun:a turn:a", true},
		"all are again":                {before(v1.SeedTLSFailed, "tls:a published", "stun:a"), found(v1.SeedReached, ""), v1.SeedReached, "found", all, turns, true},
		"nothing is":                   {before(v1.SeedReached, all+" published", turns), found(v1.SeedDialFailed, all+" turn:a"), v1.SeedDialFailed, "found", all, "stun:a turns:a", false},
		"not tried yet":                {nil, found(v1.SeedNotProbed, ""), v1.SeedNotProbed, asks, all, turns, false},
		"a restart":                    {before(v1.SeedReached, all+" published", turns), found(v1.SeedNotProbed, ""), v1.SeedReached, "before", all, turns, true},
		"a restart, with silent TURN":  {before(v1.SeedTURNFailed, all+" published", "stun:a turns:a"), found(v1.SeedNotProbed, ""), v1.SeedTURNFailed, "before", all, "stun:a turns:a", true},
		"a restart, without one":       {before(v1.SeedDialFailed, "wss:b tls:a published", turns), found(v1.SeedNotProbed, ""), v1.SeedDialFailed, "before", "wss:b tls:a", turns, true},
		"a restart, and it has failed": {before(v1.SeedTLSFailed, all, "stun:a"), found(v1.SeedNotProbed, ""), v1.SeedTLSFailed, "before", all, "stun:a", false},
		"TURN has moved":               {before(v1.SeedReached, all+" published", "stun:b turn:b turns:a"), found(v1.SeedNotProbed, ""), v1.SeedReached, "before", all, "turns:a", true},
		"there is another address":     {before(v1.SeedReached, "wss:c tls:a published", turns), found(v1.SeedNotProbed, ""), v1.SeedReached, "before", "tls:a", turns, true},
		"it had no address":            {before(v1.SeedNoAddress, "", ""), found(v1.SeedNotProbed, ""), v1.SeedNotProbed, asks, all, turns, false},
	} {
		t.Run(name, func(t *testing.T) {
			addresses, turn := strings.Fields(all), strings.Fields(turns)
			status := &v1.SeedStatus{Addresses: addresses, TURNAddresses: turn}
			tell(status, c.before, c.found)
			if status.Reason != c.reason || status.Message != c.message || status.Reachable != c.reachable ||
				!slices.Equal(status.Addresses, strings.Fields(c.addresses)) || !slices.Equal(status.TURNAddresses, strings.Fields(c.turn)) {
				t.Errorf("told is %+v", status)
			}
			if strings.Join(addresses, " ") != all || strings.Join(turn, " ") != turns {
				t.Errorf("the endpoints are %q and %q now", addresses, turn)
			}
		})
	}
}

// What the status says of a seed counts as long as the seed is on the same node and has
// an address that it had.
func TestSeedBefore(t *testing.T) {
	const a, b, c = "wss://a:1", "wss://b:1", "wss://c:1"
	ready := v1.SeedStatus{Name: "demo-seed-0", NodeName: "node", Ready: true}
	drains, starts, moves := ready, ready, ready
	drains.Draining, starts.Ready, moves.NodeName = true, false, "other"
	for name, c := range map[string]struct {
		before v1.SeedStatus
		then   []string
		now    []string
		counts bool
	}{
		"the same":               {ready, []string{a, b}, []string{a, b}, true},
		"one was not reached":    {ready, []string{b}, []string{a, b}, true},
		"one is new, one gone":   {ready, []string{a, b}, []string{b, c}, true},
		"others":                 {ready, []string{a}, []string{b}, false},
		"the first":              {ready, nil, []string{b}, false},
		"none any more":          {ready, []string{a}, nil, false},
		"none":                   {ready, nil, nil, true},
		"it drained":             {drains, []string{a}, []string{a}, false},
		"it took no connections": {starts, []string{a}, []string{a}, false},
		"on another node":        {moves, []string{a}, []string{a}, false},
	} {
		c.before.Addresses = c.then
		network := &v1.PeerNetwork{Status: v1.PeerNetworkStatus{Seeds: []v1.SeedStatus{{Name: "demo-seed-1", NodeName: "node", Ready: true, Addresses: c.now}, c.before}}}
		s := &seed{status: v1.SeedStatus{Name: "demo-seed-0", NodeName: "node"}, endpoints: plan.Endpoints{Addresses: c.now}}
		if got := seedBefore(&run{network: network}, s); (got != nil) != c.counts || got != nil && got.Name != s.status.Name {
			t.Errorf("%s: it is %+v", name, got)
		}
	}
}
