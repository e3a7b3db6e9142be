package exchange

import "golang.org/x/time/rate"

// paced waits, once a control message is dealt with, until there may be another
// (Limits.MessagesPerSecond). Nothing is lost, but what a flood of messages
// costs is bounded, whether they are answered or mean nothing. Siblings,
// which speak for all of their peers, and credit, which comes with what is read,
// are left alone.
func (p *Peer) paced() {
	perSecond := p.ex.limits.MessagesPerSecond
	if perSecond < 0 || p.sibling.Load() != nil {
		return
	}
	if p.pace == nil {
		p.pace = rate.NewLimiter(rate.Limit(perSecond), 5*perSecond)
	}
	delay := p.pace.Reserve().Delay()
	if delay == 0 {
		return
	}
	p.ex.refused("messages-per-second", p.RemoteAddress())
	if p.session.Unhold() {
		p.rest(delay)
	}
}
