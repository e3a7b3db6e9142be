package seed

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/peerexchange/peerexchange/internal/turn"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// Limits are those of the exchange, and the seed's own. Zero is the default, and
// [exchange.Unlimited] no limit.
type Limits struct {
	exchange.Limits

	// PendingConnections is how many connections may be on their way to be a
	// peer: in their TLS handshake, silent so far, or in an HTTP request. One
	// more closes the oldest. Default 4,096.
	PendingConnections int

	// ICEPerMinute is how often one IPv4 address or one IPv6 /64 may ask for the
	// ICE servers, a quarter of it at once. Default 60.
	ICEPerMinute int
	// TURNAllocations is how many TURN allocations there may be. Default 8,192.
	TURNAllocations int
	// TURNAllocationsPerClient is how many of them may be those of one IPv4 address
	// or one IPv6 /64. Default 256.
	TURNAllocationsPerClient int
	// TURNAllocationsPerCredential is how many of them may be made with the
	// credentials of one client, however often it asked for them. Default 128.
	TURNAllocationsPerCredential int
	// TURNPermissions is how many peers an allocation may have. Default 128.
	TURNPermissions int
	// TURNBytes is how many bytes of all allocations may be relayed a second.
	// Default 128 MiB.
	TURNBytes int
	// TURNBytesPerAllocation is how many of one, both directions together.
	// Default 8 MiB.
	TURNBytesPerAllocation int
	// TURNChallengesPerClient is how many answers a second one IPv4 address or one
	// IPv6 /64 gets that shows no valid credentials, with bursts of five seconds'
	// worth: by UDP they go wherever the request says that it is from. Default 20.
	TURNChallengesPerClient int
	// TURNPendingConnections is how many TCP and TLS connections to the TURN server
	// may be without an allocation. One more closes the oldest. Default 1,024.
	TURNPendingConnections int
}

// DefaultPendingConnections is the default of Limits.PendingConnections.
const DefaultPendingConnections = 4096

const pendingConnections = "pending-connections"

// ownLimit describes one field of Limits that the exchange does not have. All
// are rates and counts, which all=unlimited takes away.
type ownLimit struct {
	name, help string
	fallback   int
	size       bool // a number of bytes
	field      func(*Limits) *int
}

// ownLimits has pending-connections first.
var ownLimits = func() []ownLimit {
	relay := turn.DefaultLimits()
	return []ownLimit{
		{pendingConnections, "connections that are no peer yet; one more closes the oldest", DefaultPendingConnections, false,
			func(l *Limits) *int { return &l.PendingConnections }},
		{"ice-per-minute", "requests for ICE servers from one IPv4 address or IPv6 /64", 60, false,
			func(l *Limits) *int { return &l.ICEPerMinute }},
		{"turn-allocations", "TURN allocations in total", relay.Allocations, false,
			func(l *Limits) *int { return &l.TURNAllocations }},
		{"turn-allocations-per-client", "TURN allocations of one IPv4 address or IPv6 /64", relay.AllocationsPerClient, false,
			func(l *Limits) *int { return &l.TURNAllocationsPerClient }},
		{"turn-allocations-per-credential", "TURN allocations with the credentials of one client", relay.AllocationsPerCredential, false,
			func(l *Limits) *int { return &l.TURNAllocationsPerCredential }},
		{"turn-permissions", "peers of a TURN allocation", relay.Permissions, false,
			func(l *Limits) *int { return &l.TURNPermissions }},
		{"turn-bytes", "bytes a second through all TURN allocations", int(relay.Bytes), true,
			func(l *Limits) *int { return &l.TURNBytes }},
		{"turn-bytes-per-allocation", "bytes a second through a TURN allocation, both ways", int(relay.BytesPerAllocation), true,
			func(l *Limits) *int { return &l.TURNBytesPerAllocation }},
		{"turn-challenges-per-client", "TURN answers a second to a client without credentials", relay.Challenges, false,
			func(l *Limits) *int { return &l.TURNChallengesPerClient }},
		{"turn-pending-connections", "TURN connections that have no allocation", relay.PendingConnections, false,
			func(l *Limits) *int { return &l.TURNPendingConnections }},
	}
}()

// ownLimitOf returns the one of that name, or nil.
func ownLimitOf(name string) *ownLimit {
	if i := slices.IndexFunc(ownLimits, func(l ownLimit) bool { return l.name == name }); i >= 0 {
		return &ownLimits[i]
	}
	return nil
}

// DefaultLimits returns what zero Limits mean.
func DefaultLimits() Limits {
	l := Limits{Limits: exchange.DefaultLimits()}
	l.setDefaults()
	return l
}

// setDefaults sets what the exchange does not itself.
func (l *Limits) setDefaults() {
	for _, own := range ownLimits {
		if field := own.field(l); *field == 0 {
			*field = own.fallback
		}
	}
}

// turn returns those of the TURN server.
func (l *Limits) turn() turn.Limits {
	return turn.Limits{
		Allocations:              l.TURNAllocations,
		AllocationsPerClient:     l.TURNAllocationsPerClient,
		AllocationsPerCredential: l.TURNAllocationsPerCredential,
		Permissions:              l.TURNPermissions,
		Bytes:                    int64(l.TURNBytes),
		BytesPerAllocation:       int64(l.TURNBytesPerAllocation),
		Challenges:               l.TURNChallengesPerClient,
		PendingConnections:       l.TURNPendingConnections,
	}
}

// LimitNames returns the names that [Limits.Set] takes, in a fixed order.
func LimitNames() []string {
	names := exchange.LimitNames()
	names = slices.Insert(names, slices.Index(names, "peers"), pendingConnections)
	for _, own := range ownLimits[1:] {
		names = append(names, own.name)
	}
	return names
}

// LimitHelp returns one line on what the limit of that name bounds.
func LimitHelp(name string) string {
	if own := ownLimitOf(name); own != nil {
		return own.help
	}
	return exchange.LimitHelp(name)
}

// Set changes the limit of that name; see [exchange.Limits.Set].
func (l *Limits) Set(name, value string) error {
	switch own := ownLimitOf(name); {
	case own != nil:
		return own.set(l, value)
	case name == "all" && value == "unlimited":
		for _, own := range ownLimits {
			*own.field(l) = exchange.Unlimited
		}
	case name != "all" && !slices.Contains(exchange.LimitNames(), name):
		return fmt.Errorf("unknown limit %q; the limits are all, %s", name, strings.Join(LimitNames(), ", "))
	}
	return l.Limits.Set(name, value)
}

func (own *ownLimit) set(l *Limits, value string) error {
	if value == "unlimited" {
		*own.field(l) = exchange.Unlimited
		return nil
	}
	n, err := own.parse(value)
	if err != nil || n < 1 || n > math.MaxInt32 {
		want := "a whole number from 1"
		if own.size {
			want = "a size such as 64KiB, at least a byte and less than 2GiB"
		}
		return fmt.Errorf("limit %s=%s: want %s, or unlimited", own.name, value, want)
	}
	*own.field(l) = int(n)
	return nil
}

func (own *ownLimit) parse(value string) (int64, error) {
	if !own.size {
		return strconv.ParseInt(value, 10, 64)
	}
	n, err := humanize.ParseBytes(value)
	return int64(min(n, math.MaxInt64)), err
}

// Get returns a limit's value as Set takes it.
func (l *Limits) Get(name string) string {
	own := ownLimitOf(name)
	if own == nil {
		return l.Limits.Get(name)
	}
	if n := *own.field(l); n >= 0 {
		return strconv.Itoa(n)
	}
	return "unlimited"
}
