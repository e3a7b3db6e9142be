package exchange

import (
	"context"
	"time"
)

// succeedTime bounds an attempt to connect to the successor of a seed that goes
// away: there has to be time left for another one.
const succeedTime = 5 * time.Second

// succeed connects to another seed in place of one that goes away: where that one
// says, or else to a configured one, or else to what is remembered, or else to the
// same address, where a load balancer may lead to another one. It returns nil if
// nothing of that works until the first one is gone.
func (m *Maintainer) succeed(ctx context.Context, s *seedConnection) *seedConnection {
	retry := m.newBackoff()
	elsewhere, _ := s.peer.Elsewhere()
	for ctx.Err() == nil {
		for _, address := range elsewhere {
			if !m.takeAfter(s, address) {
				continue
			}
			if next := m.tryNext(ctx, address, s); next != nil {
				return next
			}
		}
		for _, known := range [][]string{m.configured(), m.book.list()} {
			address, ok := m.take(known)
			if !ok {
				continue
			}
			if next := m.tryNext(ctx, address, nil); next != nil {
				return next
			}
		}
		if m.takeAfter(s, s.address) {
			if next := m.tryNext(ctx, s.address, s); next != nil {
				return next
			}
		}
		if s.peer.isClosed() {
			break
		}
		timer := time.NewTimer(retry.NextBackOff())
		select {
		case <-timer.C:
		case <-s.peer.Done():
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// stay waits with a seed that goes away, until a time or until it is gone: those that
// go away at once are not to be dialed one after the other as fast as that works.
func (m *Maintainer) stay(ctx context.Context, s *seedConnection, until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.peer.Done():
	case <-ctx.Done():
	}
}

// tryNext tries an address that was taken. by is the seed that has named it, if
// one has: it is trusted no less than that one.
func (m *Maintainer) tryNext(ctx context.Context, address string, by *seedConnection) *seedConnection {
	attempt, cancel := context.WithTimeout(ctx, succeedTime)
	defer cancel()
	to, trusted := m.configuredAt(address)
	if !trusted && by != nil && by.trusted {
		to, _ = parseURL(address) // it was checked
		to.token, trusted = by.token, true
		if m.config.Token != nil {
			to.token = "" // a new one may be due
		}
	}
	next, err := m.connectTo(attempt, address, to, trusted, by)
	if err != nil {
		if ctx.Err() == nil {
			m.notReached(address, err)
		}
		return nil
	}
	return next
}

// leave disconnects from a seed that has a successor, once no introduction
// through it is in progress. A connection of the application's is its own to end.
func (m *Maintainer) leave(ctx context.Context, s *seedConnection) {
	look := time.NewTicker(reprieve)
	defer look.Stop()
	for !s.own || s.peer.introducing(time.Now()) {
		select {
		case <-look.C:
		case <-s.peer.Done():
			return
		case <-ctx.Done():
			return
		}
	}
	s.peer.Close()
}
