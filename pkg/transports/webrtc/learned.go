package webrtc

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/stun"
	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

var _ transport.ICEUser = (*Transport)(nil)

// Each TURN server costs every negotiation an allocation, so those of the two
// sources that are good for longest are used. Others are kept for when one of
// them is gone.
const (
	sourcesUsed = 2
	sourcesKept = 8
)

// learned are the ICE servers that a transport was told of while it runs.
type learned struct {
	mu sync.Mutex
	// Guarded by mu.
	lessons []lesson // the one that is good for longest first, at most sourcesKept
}

// lesson is what one source gave.
type lesson struct {
	source  string
	servers []ICEServer
	until   time.Time
}

// UseICEServers implements transport.ICEUser. The servers of the two sources that
// are good for longest are used.
func (t *Transport) UseICEServers(source string, servers []ICEServer, until time.Time) {
	t.learned.put(lesson{source, usable(servers), until})
}

func (l *learned) put(given lesson) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.lessons = slices.DeleteFunc(l.lessons, func(old lesson) bool {
		return old.source == given.source || !old.until.After(now)
	})
	if len(given.servers) == 0 {
		return
	}
	place, _ := slices.BinarySearchFunc(l.lessons, given.until, func(old lesson, until time.Time) int {
		return until.Compare(old.until)
	})
	l.lessons = slices.Insert(l.lessons, place, given)
	l.lessons = l.lessons[:min(len(l.lessons), sourcesKept)]
}

// servers are those to use now.
func (l *learned) servers() (servers []ICEServer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, each := range l.lessons[:min(len(l.lessons), sourcesUsed)] {
		if each.until.After(now) {
			servers = append(servers, each.servers...)
		}
	}
	return servers
}

// usable leaves out what pion would refuse to negotiate with.
func usable(servers []ICEServer) (kept []ICEServer) {
	for _, s := range servers {
		s.URLs = slices.DeleteFunc(slices.Clone(s.URLs), func(url string) bool {
			_, err := stun.ParseURI(url)
			return err != nil || isTURN(url) && (s.Username == "" || s.Credential == "")
		})
		if len(s.URLs) > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

func isTURN(url string) bool {
	return strings.HasPrefix(url, "turn:") || strings.HasPrefix(url, "turns:")
}

// peerConfig is the configuration of pion's PeerConnection for a negotiation that
// begins now.
func (t *Transport) peerConfig() (pion.Configuration, error) {
	servers := slices.Concat(t.cfg.ICEServers, t.learned.servers())
	cfg := pion.Configuration{ICETransportPolicy: pion.ICETransportPolicyAll}
	if t.cfg.RelayOnly {
		cfg.ICETransportPolicy = pion.ICETransportPolicyRelay
		if !slices.ContainsFunc(servers, func(s ICEServer) bool { return slices.ContainsFunc(s.URLs, isTURN) }) {
			return cfg, fmt.Errorf("%w: configure one, or connect to a seed that has one", ErrNoTURN)
		}
	}
	for _, server := range servers {
		cfg.ICEServers = append(cfg.ICEServers, pion.ICEServer{
			URLs:           server.URLs,
			Username:       server.Username,
			Credential:     server.Credential,
			CredentialType: pion.ICECredentialTypePassword,
		})
	}
	return cfg, nil
}
