package exchange

// npm nodes do not say who they are. A node that gets peers from several others, or
// from one again and again, would be led to the same npm node each time. So whoever
// introduces one says what it calls it, its alias, to nodes that know the feature
// [featureExclude], and those exclude it by that name, like an instance. A node that
// was introduced itself to the npm node passes on the alias that it was told.

// aliasOf returns what a peer is called to others, or nothing if it says who it is
// itself, or is gone.
func (ex *Exchange) aliasOf(p *Peer) string {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if _, ready := ex.peers[p]; !ready || p.hello.instance != "" {
		return ""
	}
	if p.alias == "" {
		ex.call(p, newID())
	}
	return p.alias
}

// aliasFor is aliasOf for somebody who is to be told, if that one knows what it means.
func (ex *Exchange) aliasFor(told, p *Peer) string {
	if !told.knows(featureExclude) {
		return ""
	}
	return ex.aliasOf(p)
}

// call gives a peer its alias. The caller holds mu.
func (ex *Exchange) call(p *Peer, alias string) {
	p.alias = alias
	ex.aliases[alias]++
}

// uncall takes it back. The caller holds mu, and may call it again.
func (ex *Exchange) uncall(p *Peer) {
	if p.alias == "" {
		return
	}
	if ex.aliases[p.alias]--; ex.aliases[p.alias] == 0 {
		delete(ex.aliases, p.alias)
	}
	p.alias = ""
}

// introduction is how a peer came here that was negotiated through another one.
type introduction struct {
	by    *Peer  // nil if it came by itself
	alias string // what that one calls it; may be empty
}
