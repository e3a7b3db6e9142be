package seed

import (
	"log/slog"
	"maps"
	"sync"
	"time"
)

// Why a connection was refused before the exchange saw it.
const (
	refusedHandshakeTime = "handshake-time"      // it was too slow, or silent
	refusedPending       = "pending-connections" // it was the oldest of too many
	refusedTLS           = "tls"                 // the TLS handshake came to nothing
	refusedTLSOnPlain    = "tls-on-plain-port"
	refusedPlainOnTLS    = "plain-on-tls-port"
	refusedProxyHeader   = "proxy-header" // it makes no sense, or nobody is to send one
	refusedTURNOff       = "turn-off"     // it asks for what there is not
	refusedUnauthorized  = "unauthorized" // it presents no good token
)

// refusalReasons are all of these.
var refusalReasons = []string{refusedHandshakeTime, refusedPending, refusedTLS, refusedTLSOnPlain, refusedPlainOnTLS, refusedProxyHeader, refusedTURNOff, refusedUnauthorized}

// refusals counts connections that were refused, and logs one a second for each
// reason: a flood of connections is not to become a flood of records.
type refusals struct {
	// Static after construction.
	logger *slog.Logger

	mu sync.Mutex
	// Guarded by mu.
	counts map[string]uint64 // by reason, of which there are those above
	logged map[string]time.Time
}

// add counts a refusal. detail is for the log.
func (r *refusals) add(reason, remoteAddr string, detail ...any) {
	r.mu.Lock()
	if r.counts == nil {
		r.counts = make(map[string]uint64)
	}
	r.counts[reason]++
	r.mu.Unlock()
	r.log(reason, remoteAddr, detail...)
}

// log logs a refusal that is counted elsewhere.
func (r *refusals) log(reason, remoteAddr string, detail ...any) {
	r.mu.Lock()
	if r.logged == nil {
		r.logged = make(map[string]time.Time)
	}
	now := time.Now()
	again := now.Sub(r.logged[reason]) < time.Second
	if !again {
		r.logged[reason] = now
	}
	r.mu.Unlock()
	if !again {
		r.logger.Info("refused", append([]any{"reason", reason, "remote_addr", remoteAddr}, detail...)...)
	}
}

// snapshot returns the counts.
func (r *refusals) snapshot() map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counts)
}
