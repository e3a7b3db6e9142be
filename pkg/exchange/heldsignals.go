package exchange

// Signals wait in a relay for the rest of their line, and candidates for the
// description that is to go before them. One relay holds little. A stranger may have
// thousands of them, and lets each wait for as long as it stands, so what is held is
// counted for all of them together, against Limits.HeldSignalBytes.

// hold counts that the guard keeps so many bytes now of what this end has sent, or
// names the limit that they exceed.
func (e *relayEnd) hold(bytes int) (limit string, ok bool) {
	budget := &e.relay.ex.held
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.relay.over.Load() {
		return "", true // and letGo was called, or waits for mu
	}
	if bytes > e.held {
		if limit, ok := budget.acquire(e.owner, bytes-e.held); !ok {
			return limit, false
		}
	} else if bytes < e.held {
		budget.release(e.owner, e.held-bytes)
	}
	e.held = bytes
	return "", true
}

// letGo gives back what is counted. The relay is over.
func (e *relayEnd) letGo() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held > 0 {
		e.relay.ex.held.release(e.owner, e.held)
		e.held = 0
	}
}
