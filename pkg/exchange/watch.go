package exchange

import "time"

// watch is the node's one timer for what happens to peers that say nothing:
// pings, idle time, second connections that their dialer left standing, and ICE
// servers that are about to expire.
func (ex *Exchange) watch() {
	tick := time.NewTicker(ex.watchInterval())
	defer tick.Stop()
	for {
		select {
		case <-ex.lifetime.Done():
			return
		case now := <-tick.C:
			for _, p := range ex.Peers() {
				ex.watchPeer(p, now)
			}
		}
	}
}

func (ex *Exchange) watchInterval() time.Duration {
	interval := min(ex.config.PingInterval, ex.rivalryTime())
	if ex.limits.IdleTime > 0 {
		interval = min(interval, ex.limits.IdleTime)
	}
	if ex.config.ICEServers != nil {
		interval = min(interval, minICETTL)
	}
	return max(interval/4, 10*time.Millisecond)
}

func (ex *Exchange) watchPeer(p *Peer, now time.Time) {
	link := p.sibling.Load()
	if link != nil && !ex.watchLink(link) {
		return
	}
	silent := now.Sub(time.Unix(0, p.heard.Load()))
	ex.mu.Lock()
	pings := p.hello.has(featurePing)
	rivalled := p.rival != nil && !p.rival.isClosed()
	age := now.Sub(p.readyAt)
	iceDue := !p.iceDue.IsZero() && now.After(p.iceDue)
	ex.mu.Unlock()

	if iceDue {
		p.handOutICE()
	}

	interval := ex.config.PingInterval
	switch {
	case rivalled && age > ex.rivalryTime():
		p.fail(ErrDuplicate)
	case link == nil && ex.limits.IdleTime > 0 && silent > ex.limits.IdleTime:
		p.fail(ErrIdle)
	case pings && silent > 3*interval:
		p.fail(ErrUnresponsive)
	case pings && silent > interval:
		p.ping()
	}
}

// probe asks a peer for a sign of life now, and disconnects one that gives none.
// It does nothing to peers that cannot be asked.
func (p *Peer) probe() {
	p.ex.mu.Lock()
	pings := p.hello.has(featurePing)
	p.ex.mu.Unlock()
	if !pings {
		return
	}
	asked := time.Now().UnixNano()
	p.ping()
	time.AfterFunc(probeTime, func() {
		if p.heard.Load() < asked {
			p.fail(ErrUnresponsive)
		}
	})
}
