package exchange

import (
	"context"
	"fmt"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// seedConnection is a connection to a seed that the maintainer keeps.
type seedConnection struct {
	peer    *Peer
	address string
	own     bool   // the maintainer has made it, and not the application
	trusted bool   // it is a configured seed, or one that such a one has named
	token   string // presented to it
}

// keepSeed keeps one connection to a seed.
func (m *Maintainer) keepSeed(ctx context.Context) {
	retry := m.newBackoff()
	for ctx.Err() == nil {
		address, ok := m.take(m.addresses())
		if !ok {
			// Every address is in use by another seed connection, or none is known yet.
			m.awaitAddress(ctx, retry.NextBackOff())
			continue
		}
		s, err := m.connect(ctx, address)
		if err == nil {
			connected := time.Now()
			m.hold(ctx, s)
			// A seed that hangs up at once must not be dialed every second.
			if time.Since(connected) > m.config.MaxBackoff {
				retry.Reset()
			}
		} else if ctx.Err() == nil {
			m.notReached(address, err)
		}
		pause(ctx, retry.NextBackOff())
	}
}

// connect connects to an address that was taken, unless the application has done
// so. If that fails it gives the address back.
func (m *Maintainer) connect(ctx context.Context, address string) (*seedConnection, error) {
	to, configured := m.configuredAt(address)
	return m.connectTo(ctx, address, to, configured, nil)
}

// connectTo is connect for a seed that may be trusted, which is where it is. by is
// who has named it, if somebody has.
func (m *Maintainer) connectTo(ctx context.Context, address string, to target, trusted bool, by *seedConnection) (*seedConnection, error) {
	s := &seedConnection{address: address, trusted: trusted, token: to.token}
	for _, p := range m.ex.Peers() {
		if p.DialedURL() == address && !p.isGoingAway() {
			s.peer = p
			return s, nil
		}
	}
	err := m.dial(ctx, s, to, by)
	if err != nil {
		m.giveBack(address)
		return nil, err
	}
	s.own = true
	return s, nil
}

func (m *Maintainer) dial(ctx context.Context, s *seedConnection, to target, by *seedConnection) (err error) {
	if !s.trusted {
		var namedBy *Peer
		if by != nil {
			namedBy = by.peer
		}
		s.peer, err = m.ex.connectRemembered(ctx, s.address, namedBy)
		return err
	}
	if to.token == "" && m.config.Token != nil {
		if s.token, err = m.config.Token(ctx); err != nil {
			return fmt.Errorf("get a token: %w", err)
		}
	}
	opts := transports.Options{Port: to.port, Secure: to.secure, Token: s.token}
	s.peer, err = m.ex.Connect(ctx, to.transport, to.host, opts)
	return err
}

// hold stays with a seed until it is gone, and with its successor if it goes away.
func (m *Maintainer) hold(ctx context.Context, s *seedConnection) {
	var least time.Time // until when a successor is stayed with
	for s != nil {
		m.remember(s.address)
		m.mu.Lock()
		m.seeds[s.peer] = s.address
		m.mu.Unlock()
		m.ex.wake() // it was counted among the other peers
		select {
		case <-s.peer.Done():
		case <-s.peer.GoingAway():
		case <-ctx.Done():
		}
		var next *seedConnection
		if s.peer.isGoingAway() {
			m.stay(ctx, s, least)
			next = m.succeed(ctx, s)
		}
		if next == nil {
			m.forget(s)
			return
		}
		left := s
		m.running.Go(func() {
			m.leave(ctx, left)
			m.forget(left)
		})
		s, least = next, time.Now().Add(m.config.MinBackoff)
	}
}

// forget is for a connection to a seed that is none any more.
func (m *Maintainer) forget(s *seedConnection) {
	m.giveBack(s.address)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.seeds, s.peer)
}
