package exchange

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// How long an asker may wait for siblings in all, and for each of them: one that
// does not answer leaves time for another. The asker is answered in any case.
const (
	forwardTime   = 2 * time.Second
	siblingTime   = time.Second
	forwardsTried = 3 // siblings
)

// forward is a request for a peer that was passed on to a sibling. It has no
// goroutine: the read loops of links take the answers, and a timer their absence.
//
// A request is passed on once: the sibling looks at its own peers only.
type forward struct {
	// Static after construction.
	ex       *Exchange
	id       string
	want     wire.MeshWant
	services []service            // that the asker can use
	seen     func(*link) []uint64 // what it was offered of a sibling lately; may be nil
	done     func(*forwarded)     // called once, by whichever goroutine
	tries    int                  // siblings to be asked one after the other
	until    time.Time

	// Guarded by ex.mu.
	via   *link     // whose answer is awaited
	tried []*link   // and those before
	due   time.Time // of that answer
	timer *time.Timer
	over  bool
}

// forwarded is what came of it: nobody if via is nil.
type forwarded struct {
	via   *link
	found *wire.MeshFound // generation 0
	ids   []string        // generation 1
}

// begin asks a first sibling, or returns false if there is none to ask, and
// done is not called then.
func (f *forward) begin() bool {
	ex := f.ex
	f.until = time.Now().Add(forwardTime)
	f.id = newID()
	ex.mu.Lock()
	if ex.endsLocked() {
		ex.mu.Unlock()
		return false
	}
	if !within(len(ex.mesh.forwards)+1, ex.limits.Forwards) {
		ex.mu.Unlock()
		ex.refused("forwards", "")
		return false
	}
	if f.via == nil {
		f.via = f.next()
	}
	if f.via == nil {
		ex.mu.Unlock()
		return false
	}
	ex.mesh.forwards[f.id] = f
	f.due = time.Now().Add(siblingTime)
	f.timer = time.AfterFunc(siblingTime, f.late)
	via := f.via
	ex.mu.Unlock()
	f.ask(via)
	return true
}

// next draws a sibling that has what is wanted, by how much of it, or returns
// nil. The caller holds mu.
func (f *forward) next() *link {
	if len(f.tried) >= f.tries {
		return nil
	}
	var among []*link
	total := 0
	for l := range f.ex.mesh.links {
		if n := l.stock(f.services); n > 0 && !slices.Contains(f.tried, l) {
			among = append(among, l)
			total += n
		}
	}
	if total == 0 {
		return nil
	}
	at := rand.IntN(total)
	for _, l := range among {
		if at -= l.stock(f.services); at < 0 {
			return l
		}
	}
	return nil
}

// stock is how many candidates of any of these services a sibling can be asked for.
// The caller holds mu.
func (l *link) stock(services []service) int {
	if l.draining || l.p.readyAt.IsZero() || l.p.isClosed() || l.suspect.Load() != 0 {
		return 0
	}
	n := 0
	for _, s := range services {
		n += l.services[s]
	}
	return n
}

// ask sends the request.
func (f *forward) ask(via *link) {
	want := f.want
	if f.seen != nil {
		want.Seen = f.seen(via)
	}
	if !via.p.attach(forwardVia{f, via}) {
		f.fail(via)
		return
	}
	via.p.control.Send(wire.AppendMesh(nil, &wire.Mesh{Op: wire.MeshGet, ID: f.id, Want: &want}))
}

// forwardVia fails a request when the link that it went to ends.
type forwardVia struct {
	f   *forward
	via *link
}

func (v forwardVia) peerEnded(*Peer) { v.f.fail(v.via) }

// late is called when a sibling has not answered in time. It is not asked again
// until it has shown that it lives.
func (f *forward) late() {
	f.ex.mu.Lock()
	via := f.via
	early := time.Now().Before(f.due) // another sibling's turn began just now, and set the timer anew
	over := f.over
	f.ex.mu.Unlock()
	if over || early {
		return
	}
	f.ex.counters.forwards.timeout.Add(1)
	if via.suspect.CompareAndSwap(0, time.Now().UnixNano()) {
		via.p.probe()
	}
	f.fail(via)
}

// fail goes on to another sibling if there is time, and ends otherwise.
func (f *forward) fail(via *link) {
	f.ex.mu.Lock()
	if f.over || f.via != via {
		f.ex.mu.Unlock()
		return
	}
	f.tried = append(f.tried, via)
	f.via = f.next()
	left := time.Until(f.until)
	if f.via == nil || left <= 0 {
		f.end()
		f.ex.mu.Unlock()
		via.p.detach(forwardVia{f, via})
		f.done(&forwarded{})
		return
	}
	f.due = time.Now().Add(min(left, siblingTime))
	f.timer.Reset(min(left, siblingTime))
	next := f.via
	f.ex.mu.Unlock()
	via.p.detach(forwardVia{f, via})
	f.ask(next)
}

// end forgets the request. The caller holds mu.
func (f *forward) end() {
	f.over = true
	f.timer.Stop()
	delete(f.ex.mesh.forwards, f.id)
}

// has takes a sibling's answer to a request.
func (l *link) has(m *wire.Mesh) {
	ex := l.p.ex
	ex.mu.Lock()
	f := ex.mesh.forwards[m.ID]
	if f != nil && f.via != l {
		f = nil
	}
	found := m.Found != nil || len(m.IDs) > 0
	if f != nil && found {
		f.end()
	}
	ex.mu.Unlock()
	switch {
	case f == nil:
		l.abandon(m.Found) // too late
	case !found:
		ex.counters.forwards.none.Add(1)
		f.fail(l)
	default:
		l.p.detach(forwardVia{f, l})
		ex.counters.forwards.found.Add(1)
		f.done(&forwarded{via: l, found: m.Found, ids: m.IDs})
	}
}

// abandon ends a relay of a sibling that nobody will use.
func (l *link) abandon(found *wire.MeshFound) {
	if found == nil || found.Nonce == "" {
		return
	}
	if channel, err := l.p.session.Channel("relay:"+found.Nonce, nil); err == nil {
		channel.Abort()
	}
}

// stocks is how many candidates of these services the siblings have, and here how
// many this node has. The caller holds mu.
func (ex *Exchange) stocks(services []service) (far, here int) {
	for l := range ex.mesh.links {
		far += l.stock(services)
	}
	for _, s := range services {
		if set := ex.candidates.services[s]; set != nil {
			here += set.size
		}
	}
	return far, here
}
