package exchange

import "context"

// keepPeers gets new peers while there are too few.
func (m *Maintainer) keepPeers(ctx context.Context) {
	changed, unsubscribe := m.ex.subscribe()
	defer unsubscribe()
	retry := m.newBackoff()
	for ctx.Err() == nil {
		if m.missing() <= 0 || len(m.ex.Peers()) == 0 {
			retry.Reset()
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		p, err := m.ex.GetNewPeer(ctx)
		if err == nil && m.ex.isCopy(p) {
			pause(ctx, copyGrace)
			p.Close()
			err = errCopy
		}
		if err == nil {
			retry.Reset()
			if url := p.DialedURL(); url != "" {
				m.remember(url)
			}
			continue
		}
		m.config.Logger.Debug("no new peer", "err", err)
		pause(ctx, retry.NextBackOff())
	}
}

// missing is how many peers beside the seeds are wanted still. Those that go away are
// to be replaced while they are there, but no more of them than are wanted: they may
// say so and stay.
func (m *Maintainer) missing() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	others, leaving := 0, 0
	for _, p := range m.ex.Peers() {
		switch _, seed := m.seeds[p]; {
		case seed:
		case p.isGoingAway():
			leaving++
		default:
			others++
		}
	}
	return m.config.Peers - others - max(leaving-m.config.Peers, 0)
}
