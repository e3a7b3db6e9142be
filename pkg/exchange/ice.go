package exchange

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// minICETTL is the shortest time for which ICE servers are handed out: watch
// looks four times in it, and they are renewed at half of their time.
const minICETTL = time.Minute

// iceUsers are the transports that can use ICE servers.
func iceUsers(all []transports.Transport) (users []transports.ICEUser) {
	for _, t := range all {
		if user, ok := t.(transports.ICEUser); ok {
			users = append(users, user)
		}
	}
	return users
}

// handOutICE gives a peer ICE servers, if this node has some and the peer can use
// them, and notes when it is to get them again.
func (p *Peer) handOutICE() {
	ex := p.ex
	if ex.config.ICEServers == nil || !p.knows(featureICE) {
		return
	}
	var servers []transports.ICEServer
	var ttl time.Duration
	if p.Authorized() {
		servers, ttl = ex.config.ICEServers(p)
	}
	var due time.Time
	if len(servers) > 0 || ttl > 0 {
		ttl = max(ttl, minICETTL)
		due = time.Now().Add(ttl / 2)
	}
	ex.mu.Lock()
	p.iceDue = due
	ex.mu.Unlock()
	if len(servers) == 0 {
		return
	}
	list := make([]wire.ICEServer, len(servers))
	for i, s := range servers {
		list[i] = wire.ICEServer(s)
	}
	p.control.Send(wire.AppendICE(nil, list, int(ttl/time.Second)))
}

// learnICE has the transports use what a peer handed out. Whoever runs a TURN
// server sees who talks with whom, so only a node that the application named is
// listened to, not one that this node was led to by another. Even that one is held to
// addresses that it can know from its own place, as with the candidates it offers.
func (p *Peer) learnICE(m *wire.V0) {
	ex := p.ex
	if !p.chosen || ex.config.ICEServers != nil || !p.knows(featureICE) {
		return
	}
	var servers []transports.ICEServer
	for _, s := range m.Servers {
		s.URLs = slices.DeleteFunc(s.URLs, func(url string) bool { return !p.mayName(url) })
		if len(s.URLs) > 0 {
			servers = append(servers, transports.ICEServer(s))
		}
	}
	p.useICE(servers, time.Now().Add(time.Duration(m.TTL)*time.Second))
}

// mayName tells whether a peer can know what an ICE URL names. Of a host name
// nobody can tell.
func (p *Peer) mayName(url string) bool {
	_, rest, _ := strings.Cut(url, ":")
	host, _, _ := strings.Cut(rest, "?")
	if at, err := netip.ParseAddrPort(host); err == nil {
		host = at.Addr().String()
	}
	addr, isIP := dialAddress(host)
	return !isIP || reaches(p.addr, addr)
}

func (p *Peer) useICE(servers []transports.ICEServer, until time.Time) {
	p.teaches = len(servers) > 0
	source := p.ex.instance + "/" + strconv.FormatUint(p.serial, 10)
	for _, user := range p.ex.iceUsers {
		user.UseICEServers(source, servers, until)
	}
}

// forgetICE ends the use of a peer's servers, with the peer.
func (p *Peer) forgetICE() {
	if p.teaches {
		p.useICE(nil, time.Time{})
	}
}
