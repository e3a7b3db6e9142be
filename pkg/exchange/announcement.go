package exchange

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// announcements is what a node tells others that it accepts: the options of each
// transport, as JSON. A map that was handed out is never changed.
type announcements map[string]json.RawMessage

func (a announcements) with(transport string, opts json.RawMessage) announcements {
	next := maps.Clone(a)
	if next == nil {
		next = make(announcements)
	}
	next[transport] = opts
	return next
}

func (a announcements) without(transport string) announcements {
	next := maps.Clone(a)
	delete(next, transport)
	return next
}

// What a peer may announce: the published clients know three transports.
const (
	maxAnnouncedTransports  = 16
	maxAnnouncedOptionBytes = 1 << 10
	maxTransportNameBytes   = 64
)

// newListing makes a listing of what a peer announced, or nil if others could do
// nothing with it. Direct transports need a port; anything else is negotiated.
func (p *Peer) newListing(transport string, announced json.RawMessage) *listing {
	if transport == "" || len(transport) > maxTransportNameBytes || len(announced) > maxAnnouncedOptionBytes {
		return nil
	}
	l := &listing{peer: p, service: service{p.protocol, transport}, instance: p.hello.instance}
	switch transport {
	case transports.WebSocket, transports.TCP:
		var opts transports.Options
		if err := json.Unmarshal(announced, &opts); err != nil || opts.Port == 0 {
			return nil
		}
		l.port, l.secure = opts.Port, opts.Secure
		l.opts, _ = json.Marshal(transports.Options{Port: opts.Port, Secure: opts.Secure})
	case transports.WebRTC:
		l.opts = json.RawMessage("true")
	default:
		l.opts = append(json.RawMessage(nil), announced...)
	}
	return l
}

// list enters one more thing that a peer accepts. As with npm, a second
// announcement of a transport changes nothing, but that a candidate which was not
// found to be there is looked for again.
func (p *Peer) list(transport string, announced json.RawMessage) {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	accepted := 0
	for _, l := range p.listings {
		if l.host != "" || l.public {
			continue
		}
		if l.service.transport == transport {
			p.ex.presentAgain(l)
			return
		}
		accepted++
	}
	if accepted >= maxAnnouncedTransports || p.isGoingAwayLocked() {
		return
	}
	l := p.newListing(transport, announced)
	if l == nil {
		return
	}
	p.listings = append(p.listings, l)
	if _, ready := p.ex.peers[p]; ready {
		p.ex.present(l)
	}
}

// unlist takes back what a peer does not accept any more, and with it the public
// addresses of the same transport.
func (p *Peer) unlist(transport string) {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	p.listings = slices.DeleteFunc(p.listings, func(l *listing) bool {
		if l.service.transport != transport || l.host != "" && !l.public {
			return false
		}
		p.ex.withdraw(l)
		return true
	})
}
