package operator

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
)

// A seed is published by what was found of it, and until something is by what is out;
// a URL of TURN that was not reached is published in no case.
func TestTell(t *testing.T) {
	before := func(reason v1.SeedReason, turn string) *v1.SeedStatus {
		return &v1.SeedStatus{Reason: reason, Message: "before", TURNAddresses: strings.Fields(turn)}
	}
	found := func(reason v1.SeedReason, silent string) probe.Sighting {
		return probe.Sighting{Reason: reason, Message: "found", Silent: strings.Fields(silent)}
	}
	const asks = "it is about to be reached for the first time"
	for name, c := range map[string]struct {
		before    *v1.SeedStatus
		found     probe.Sighting
		reason    v1.SeedReason
		message   string
		turn      string // of stun:a, turn:a and turns:a
		reachable bool
	}{
		"all is reached":               {nil, found(v1.SeedReached, ""), v1.SeedReached, "found", "stun:a turn:a turns:a", true},
		"UDP is not":                   {nil, found(v1.SeedSTUNFailed, "stun:a"), v1.SeedSTUNFailed, "found", "turn:a turns:a", true},
		"no TURN is":                   {before(v1.SeedReached, "stun:a turn:a turns:a"), found(v1.SeedTURNFailed, "turns:a turn:a stun:a"), v1.SeedTURNFailed, "found", "", true},
		"TURN is again":                {before(v1.SeedTURNFailed, "stun:a"), found(v1.SeedReached, ""), v1.SeedReached, "found", "stun:a turn:a turns:a", true},
		"nothing is":                   {before(v1.SeedReached, "stun:a turn:a turns:a"), found(v1.SeedDialFailed, "turn:a"), v1.SeedDialFailed, "found", "stun:a turns:a", false},
		"not tried yet":                {nil, found(v1.SeedNotProbed, ""), v1.SeedNotProbed, asks, "stun:a turn:a turns:a", false},
		"a restart":                    {before(v1.SeedReached, "stun:a turn:a turns:a"), found(v1.SeedNotProbed, ""), v1.SeedReached, "before", "stun:a turn:a turns:a", true},
		"a restart, with silent TURN":  {before(v1.SeedTURNFailed, "stun:a turns:a"), found(v1.SeedNotProbed, ""), v1.SeedTURNFailed, "before", "stun:a turns:a", true},
		"a restart, and it has failed": {before(v1.SeedTLSFailed, "stun:a"), found(v1.SeedNotProbed, ""), v1.SeedTLSFailed, "before", "stun:a", false},
		"TURN has moved":               {before(v1.SeedReached, "stun:b turn:b turns:a"), found(v1.SeedNotProbed, ""), v1.SeedReached, "before", "turns:a", true},
		"it had no address":            {before(v1.SeedNoAddress, ""), found(v1.SeedNotProbed, ""), v1.SeedNotProbed, asks, "stun:a turn:a turns:a", false},
	} {
		t.Run(name, func(t *testing.T) {
			endpoints := []string{"stun:a", "turn:a", "turns:a"}
			status := &v1.SeedStatus{TURNAddresses: endpoints}
			tell(status, c.before, c.found)
			if status.Reason != c.reason || status.Message != c.message || status.Reachable != c.reachable || !slices.Equal(status.TURNAddresses, strings.Fields(c.turn)) {
				t.Errorf("told is %+v", status)
			}
			if !slices.Equal(endpoints, []string{"stun:a", "turn:a", "turns:a"}) {
				t.Errorf("the endpoints are %q now", endpoints)
			}
		})
	}
}
