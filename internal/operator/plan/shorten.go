package plan

import (
	"slices"
	"strings"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// shortening is a way to keep a document of many seeds with long names within its
// limit.
type shortening struct {
	left      string // what it leaves out
	oneHost   bool   // of each kind of URL, the first
	addresses int    // of a seed, at most
	turn      func(kind string) bool
}

// shortenings are tried one after the other. Clients that know one address of a seed
// get in, and seeds of whose TURN server the document says nothing tell their peers what
// they think it is.
var shortenings = []shortening{
	{"", false, maxAddresses, anyTURN},
	{"all but one host of each seed", true, maxAddresses, anyTURN},
	{"all but one host of each seed, and of its TURN server all but turn over UDP and TLS", true, maxAddresses, shortTURN},
	{"all but one address of each seed, and of its TURN server all but turn over UDP and TLS", true, 1, shortTURN},
	{"all but one address of each seed, and its TURN server", true, 1, noTURN},
}

func anyTURN(string) bool { return true }
func noTURN(string) bool  { return false }

// shortTURN is what serves the same clients as all of it: who asks a TURN server by
// UDP learns what a STUN server says, and TLS gets through wherever TCP does.
func shortTURN(kind string) bool {
	return kind == "turn?transport=udp" || kind == "turns?transport=tcp"
}

// seeds are those that are published, as the document has them.
func (s shortening) seeds(all []v1.SeedStatus) []exchange.BootstrapSeed {
	var published []exchange.BootstrapSeed
	for _, seed := range all {
		if !seed.Published() {
			continue
		}
		addresses := seed.Addresses
		turn := slices.DeleteFunc(slices.Clone(seed.TURNAddresses), func(url string) bool { return !s.turn(kindOf(url)) })
		if s.oneHost {
			addresses, turn = onePerKind(addresses), onePerKind(turn)
		}
		if len(turn) == 0 && len(seed.TURNAddresses) > 0 {
			turn = nil // an empty list says that none of them answers
		}
		addresses = addresses[:min(len(addresses), s.addresses)]
		published = append(published, exchange.BootstrapSeed{Name: seed.Name, Addresses: addresses, TURN: turn})
	}
	return published
}

// onePerKind is the first URL of each kind, and nil for nil only.
func onePerKind(urls []string) []string {
	var kinds []string
	first := urls[:0:0]
	for _, url := range urls {
		if kind := kindOf(url); !slices.Contains(kinds, kind) {
			kinds, first = append(kinds, kind), append(first, url)
		}
	}
	return first
}

// kindOf is a URL without its host and port, such as wss or turn?transport=udp.
func kindOf(url string) string {
	scheme, _, _ := strings.Cut(url, ":")
	if _, query, ok := strings.Cut(url, "?"); ok {
		scheme += "?" + query
	}
	return scheme
}
