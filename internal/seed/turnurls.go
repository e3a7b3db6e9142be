package seed

import (
	"fmt"

	"github.com/pion/stun"
)

// maxTURNURLs of each kind are given to clients: for one host by IPv4 and one by IPv6,
// as browsers look for a way through each of them, and become slow with many.
const maxTURNURLs = 2

// turnURLs are the ways to a STUN and TURN server (RFC 7064, RFC 7065), best first.
type turnURLs struct{ stun, relays []string }

func (u turnURLs) empty() bool { return len(u.stun)+len(u.relays) == 0 }

// parseTURNURLs tells URLs apart by their kind, and leaves out more than maxTURNURLs of
// one. It is nil for nil, which says nothing of them, and empty for an empty list. One
// that is none is refused, since browsers refuse all for it.
func parseTURNURLs(urls []string) (*turnURLs, error) {
	if urls == nil {
		return nil, nil
	}
	var parsed turnURLs
	seen := make(map[string]int)
	for _, text := range urls {
		uri, err := stun.ParseURI(text)
		if err != nil {
			return nil, fmt.Errorf("turn has %.64q, which is no URL of a STUN or TURN server (%w): it looks like turn:host:3478?transport=udp", text, err)
		}
		kind := uri.Scheme.String() + " " + uri.Proto.String()
		if seen[kind]++; seen[kind] > maxTURNURLs {
			continue
		}
		if uri.Scheme == stun.SchemeTypeSTUN || uri.Scheme == stun.SchemeTypeSTUNS {
			parsed.stun = append(parsed.stun, text)
		} else {
			parsed.relays = append(parsed.relays, text)
		}
	}
	return &parsed, nil
}
