package exchange

import "time"

// startHandshakeTimer ends the peer if it is not ready in time.
func (p *Peer) startHandshakeTimer() {
	timeout := p.ex.limits.HandshakeTime
	if timeout <= 0 {
		return
	}
	p.handshakeTimer = time.AfterFunc(timeout, func() {
		if !isClosed(p.ready) {
			p.fail(ErrHandshakeTimeout)
		}
	})
}

func (p *Peer) stopHandshakeTimer() {
	if p.handshakeTimer != nil {
		p.handshakeTimer.Stop()
		p.handshakeTimer = nil
	}
}

// becomeReady ends the handshake. The read loop calls it, once.
func (p *Peer) becomeReady() error {
	if err := p.ex.addPeer(p); err != nil {
		return err
	}
	for _, old := range p.replaces {
		old.retire()
	}
	p.replaces = nil
	p.ex.counters.handshakes.Add(1)
	close(p.ready)
	p.stopHandshakeTimer()
	p.session.Pause()
	p.ex.logger.Debug("peer connected", p.logFields()...)
	if l := p.sibling.Load(); l != nil {
		p.ex.linked(l) // no affair of the application's
		return nil
	}
	if p.ex.config.OnPeer != nil {
		p.ex.events.post(func() { p.ex.config.OnPeer(p) })
	}
	return nil
}
