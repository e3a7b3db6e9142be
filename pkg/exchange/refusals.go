package exchange

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// refusals keeps a flood from becoming a flood of log records: one per reason
// and second.
type refusals struct {
	mu sync.Mutex
	// Guarded by mu.
	logged map[string]time.Time // the reasons are constants of this package
}

// refused counts and logs that something was refused to, or because of, a node.
// reason is the name of a limit or one of those that Stats.Refused documents.
// detail is for the log.
func (ex *Exchange) refused(reason string, remoteAddr string, detail ...any) {
	ex.counters.refuse(reason)
	r := &ex.refusals
	r.mu.Lock()
	now := time.Now()
	recently := now.Sub(r.logged[reason]) < time.Second
	if !recently {
		if r.logged == nil {
			r.logged = make(map[string]time.Time)
		}
		r.logged[reason] = now
	}
	r.mu.Unlock()
	if !recently {
		ex.logger.Info("refused", append([]any{"reason", reason, "remote_addr", remoteAddr}, detail...)...)
	}
}

// reasons names what a connection's end is counted as. An end that is not in the
// list was nobody's fault.
var reasons = []struct {
	err    error
	reason string
}{
	{ErrHandshakeTimeout, "handshake-time"},
	{ErrSlowPeer, "outbound-queue-bytes"},
	{wire.ErrMessageTooLarge, "control-message-bytes"},
	{mux.ErrNameTooLong, "channel-name-bytes"},
	{mux.ErrTooManyChannels, "channels-per-peer"},
	{ErrIdle, "idle-time"},
	{ErrUnresponsive, "unresponsive"},
	{ErrDuplicate, "duplicate"},
	{ErrSelf, "self"},
	{ErrNetworkMismatch, "network"},
	{ErrUnauthorized, reasonUnauthorized},
	{ErrVersionMismatch, "version"},
	{ErrMeshSecret, "mesh-secret"},
	{ErrProtocol, reasonProtocol},
	{wire.ErrInvalidJSON, reasonProtocol},
	{wire.ErrInvalidMessage, reasonProtocol},
	{mux.ErrMalformed, reasonProtocol},
	{mux.ErrFrameTooLarge, reasonProtocol},
}

// reasonProtocol is what nodes are refused for that send what no node may send.
const reasonProtocol = "protocol"

// reasonOf is the reason that reasons has for an error, or empty.
func reasonOf(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return ""
}

// classified makes an error one that callers can test for: what is counted under
// the name of a limit is an ErrLimit too, and what breaks the protocol an ErrProtocol,
// whichever internal package has found it.
func classified(err error) error {
	var class error
	switch reason := reasonOf(err); {
	case reason == reasonProtocol:
		class = ErrProtocol
	case LimitHelp(reason) != "":
		class = ErrLimit
	}
	if class == nil || errors.Is(err, class) {
		return err
	}
	return fmt.Errorf("%w: %w", class, err)
}

// lost is what a connection is counted as that ended in its handshake through
// no fault that has a name.
const lost = "lost"

// countEnd counts the end of a connection that ended through a fault, or too soon.
func (ex *Exchange) countEnd(p *Peer, err error, wasReady bool) {
	reason := reasonOf(err)
	switch reason {
	case "":
		reason = lost
	case reasonUnauthorized:
		ex.refused(reason, p.RemoteAddress(), "err", err) // which the application has made
	default:
		ex.refused(reason, p.RemoteAddress())
	}
	if !wasReady {
		ex.counters.failHandshake(reason)
	}
}

// RefusalReasons returns what Stats.Refused may count, sorted: the names of
// limits, and the rules that it documents.
func RefusalReasons() []string {
	all := []string{"peers", "peers-per-ip", "messages-per-second", "getpeer-per-second", "relays-per-peer", "negotiations", "negotiations-per-ip", "relay-bytes", "held-signal-bytes", "held-signal-bytes-per-ip", "relay-data-bytes", "relay-data-bytes-per-second", "relay-data-ends", "relay-data-ends-per-ip", "signal", "siblings", "forwards"}
	for _, r := range reasons {
		all = append(all, r.reason)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// HandshakeFailureReasons returns what Stats.HandshakeFailures may count, sorted.
func HandshakeFailureReasons() []string {
	all := []string{lost}
	for _, r := range reasons {
		all = append(all, r.reason)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
