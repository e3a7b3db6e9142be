package exchange

import (
	"container/heap"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"
)

// verifier has candidates that others would dial checked before they are
// offered: see Config.VerifyCandidates. A check runs in a goroutine of its own;
// those that wait cost an entry in a heap, and one timer is for all of them.
//
// Guarded by Exchange.mu.
type verifier struct {
	waiting checkQueue
	running int
	timer   *time.Timer // set to when the first one is due
	rates   checkRates
	known   map[place]acquaintance
	results map[CheckResult]uint64
}

// check is what a listing waits for. It ends with a success or with the listing.
type check struct {
	// Static after construction.
	listing *listing

	// Guarded by Exchange.mu.
	attempts  int                // made since the candidate was announced
	due       time.Time          // of the next one
	placement int                // in verifier.waiting; -1 if it runs or was given up
	cancel    context.CancelFunc // of the attempt that runs, or nil
}

// recheckAfter is how long after each attempt that fails the next one is made.
// After the last the candidate has to announce itself again.
var recheckAfter = []time.Duration{5 * time.Second, 30 * time.Second, 3 * time.Minute}

// CheckResult is how the check of a candidate came out.
type CheckResult string

// What Stats.Checks counts.
const (
	// CheckPassed says that the candidate itself answered.
	CheckPassed CheckResult = "passed"
	// CheckUnreachable says that nothing answered, or nothing that speaks the protocol.
	CheckUnreachable CheckResult = "unreachable"
	// CheckName says that a public address names a host that is somewhere else than
	// the peer.
	CheckName CheckResult = "name"
	// CheckCertificate says that there is no certificate for the name, or none that
	// this node can verify.
	CheckCertificate CheckResult = "certificate"
	// CheckStranger says that another node answered, or one of another network.
	CheckStranger CheckResult = "stranger"
)

// CheckResults returns every result that there is.
func CheckResults() []CheckResult {
	return []CheckResult{CheckPassed, CheckUnreachable, CheckName, CheckCertificate, CheckStranger}
}

// checkError is why a check failed.
type checkError struct {
	result CheckResult
	err    error
}

func (e *checkError) Error() string { return e.err.Error() }
func (e *checkError) Unwrap() error { return e.err }

// present has others offered what a ready peer accepts: at once if they need no
// address for it or this node checks nothing, else when it was found to be
// there. The caller holds mu.
func (ex *Exchange) present(l *listing) {
	if link := l.peer.sibling.Load(); link != nil {
		link.offer() // it has proved who it is
		return
	}
	if !ex.config.VerifyCandidates || l.port == 0 {
		ex.candidates.add(l)
		return
	}
	if !l.peer.addr.IsValid() {
		return // there is nowhere to dial, for others neither
	}
	if ex.verifier.remembers(l) {
		ex.candidates.add(l) // until the check says otherwise
	}
	l.check = &check{listing: l, due: time.Now(), placement: -1}
	heap.Push(&ex.verifier.waiting, l.check)
	ex.runChecks()
}

// withdraw has a listing offered to nobody any more. It may be called again. The
// caller holds mu.
func (ex *Exchange) withdraw(l *listing) {
	l.peer.directory().remove(l)
	c := l.check
	if c == nil {
		return
	}
	l.check = nil
	if c.placement >= 0 {
		heap.Remove(&ex.verifier.waiting, c.placement)
	}
	if c.cancel != nil {
		c.cancel()
	}
}

// presentAgain starts over with a candidate that was not found where it said, and
// says so once more. The caller holds mu.
func (ex *Exchange) presentAgain(l *listing) {
	c := l.check
	if c == nil || c.cancel != nil {
		return
	}
	c.attempts, c.due = 0, time.Now()
	if c.placement >= 0 {
		heap.Fix(&ex.verifier.waiting, c.placement)
	} else {
		heap.Push(&ex.verifier.waiting, c)
	}
	ex.runChecks()
}

// runChecks starts the checks that are due, as far as the limits have it, and
// sees to it that the others are thought of in time. The caller holds mu.
func (ex *Exchange) runChecks() {
	v, now := &ex.verifier, time.Now()
	for len(v.waiting) > 0 && !ex.endsLocked() && within(v.running+1, ex.limits.Checks) {
		c := v.waiting[0]
		wait := max(c.due.Sub(now), v.rates.untilNext(&ex.limits, now))
		if wait > 0 {
			ex.wakeVerifier(wait)
			return
		}
		if wait := v.rates.take(&ex.limits, c.listing, now); wait > 0 {
			c.due = now.Add(wait)
			heap.Fix(&v.waiting, 0)
			continue
		}
		heap.Pop(&v.waiting)
		ex.startCheck(c)
	}
}

func (ex *Exchange) wakeVerifier(after time.Duration) {
	v := &ex.verifier
	if v.timer != nil {
		v.timer.Reset(after)
		return
	}
	v.timer = time.AfterFunc(after, func() {
		ex.mu.Lock()
		defer ex.mu.Unlock()
		ex.runChecks()
	})
}

func (ex *Exchange) startCheck(c *check) {
	var ctx context.Context
	var cancel context.CancelFunc
	if ex.limits.CheckTime > 0 {
		ctx, cancel = context.WithTimeout(ex.lifetime, ex.limits.CheckTime)
	} else {
		ctx, cancel = context.WithCancel(ex.lifetime)
	}
	c.cancel = cancel
	ex.verifier.running++
	ex.running.Go(func() {
		defer cancel()
		ex.checked(c, ex.dialBack(ctx, c.listing))
	})
}

// checked takes the outcome of a check.
func (ex *Exchange) checked(c *check, err error) {
	result := CheckPassed
	if failed := (*checkError)(nil); errors.As(err, &failed) {
		result = failed.result
	}
	again := time.Duration(0)

	ex.mu.Lock()
	v, l := &ex.verifier, c.listing
	v.running--
	c.cancel = nil
	stands := l.check == c && !ex.closed // neither withdrawn meanwhile nor cut short
	if stands {
		v.count(result)
		l.verified = err == nil
		c.attempts++
		switch {
		case l.verified:
			l.check = nil
			ex.candidates.add(l)
		case c.attempts <= len(recheckAfter):
			again = recheckAfter[c.attempts-1]
			c.due = time.Now().Add(again)
			heap.Push(&v.waiting, c)
			fallthrough
		default:
			ex.candidates.remove(l)
		}
	}
	ex.runChecks()
	ex.mu.Unlock()

	if stands {
		fields := append(l.peer.logFields(), "candidate", l.service.transport, "host", l.host, "port", l.port, "result", string(result))
		if err != nil {
			fields = append(fields, "again_after", again, "err", err)
		}
		ex.logger.Debug("candidate checked", fields...)
	}
}

func (v *verifier) count(result CheckResult) {
	if v.results == nil {
		v.results = make(map[CheckResult]uint64)
	}
	v.results[result]++
}

// stop ends the timer. The caller holds mu, and starts no check any more.
func (v *verifier) stop() {
	if v.timer != nil {
		v.timer.Stop()
	}
}

// place is where a candidate was found.
type place struct {
	service service
	at      netip.AddrPort
	secure  bool
	host    string
}

// acquaintance is who was found at a place.
type acquaintance struct {
	instance string
	until    time.Time // when it is forgotten
}

// A node that lost its connection and comes back is where it was, so it is
// offered while it is being checked.
const (
	rememberFor   = 5 * time.Minute
	maxRemembered = 4096
)

func (l *listing) place() place {
	return place{l.service, netip.AddrPortFrom(l.peer.addr, uint16(l.port)), l.secure, l.host}
}

// remember keeps in mind where a candidate that leaves was found.
func (v *verifier) remember(l *listing) {
	if !l.verified {
		return
	}
	if v.known == nil {
		v.known = make(map[place]acquaintance)
	}
	if len(v.known) >= maxRemembered {
		v.forgetSome()
	}
	v.known[l.place()] = acquaintance{l.instance, time.Now().Add(rememberFor)}
}

// remembers tells whether a node was found where it says that it is a short time
// ago.
func (v *verifier) remembers(l *listing) bool {
	found, ok := v.known[l.place()]
	return ok && found.instance == l.instance && time.Now().Before(found.until)
}

// forgetSome makes room, for many at a time: what is out of date goes, and of what
// is left at least every other.
func (v *verifier) forgetSome() {
	now, keep := time.Now(), maxRemembered/2
	for at, found := range v.known {
		if now.Before(found.until) && keep > 0 {
			keep--
		} else {
			delete(v.known, at)
		}
	}
}

// checkQueue is a heap of checks, the first due at its top.
type checkQueue []*check

func (q checkQueue) Len() int           { return len(q) }
func (q checkQueue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q checkQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].placement, q[j].placement = i, j
}

func (q *checkQueue) Push(x any) {
	c := x.(*check)
	c.placement = len(*q)
	*q = append(*q, c)
}

func (q *checkQueue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	c.placement = -1
	*q = slices.Delete(*q, last, last+1)
	return c
}
