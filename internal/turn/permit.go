package turn

import (
	"net"

	"github.com/pion/stun"
)

// permit is pion's PermissionHandler. Pion asks for one peer after the other and keeps
// what it was granted before it is denied something, so that all are judged at once.
func (g *gate) permit(net.Addr, net.IP) bool {
	if !g.judged {
		g.judged = true
		g.refuse = g.judge()
	}
	return g.refuse == 0
}

func (g *gate) judge() errorCode {
	server, now := g.server, g.server.now()
	s := g.session(g.req.from)
	peers := g.req.peers
	bind := g.req.kind == channelBindRequest
	if bind {
		peers = peers[:min(1, len(peers))]
	}
	switch {
	case s == nil:
		return stun.CodeAllocMismatch
	case len(peers) == 0, bind && (g.req.channel < minChannel || g.req.channel > maxChannel):
		return stun.CodeBadRequest
	}
	g.ports = g.ports[:0]
	for _, peer := range peers {
		ports, denied := server.filter.check(peer.Addr())
		if denied == "" && bind && !ports.contains(peer.Port()) {
			denied = DeniedOwn
		}
		if denied != "" {
			server.metrics.denied.add(denied)
			// Every client asks for the private addresses of whom it is introduced to.
			server.notices.debug("permission denied", denied, "peer_addr", peer, "remote_addr", g.req.from)
			if denied == DeniedFamily {
				return stun.CodePeerAddrFamilyMismatch
			}
			return stun.CodeForbidden
		}
		g.ports = append(g.ports, ports)
	}
	if !s.hasRoom(peers, g.req.channel, server.cfg.Limits.Permissions, now) {
		server.metrics.denied.add(DeniedQuota)
		server.metrics.refused.add(QuotaPermissions)
		return stun.CodeInsufficientCapacity
	}
	return 0
}

// granted takes note of what a success response means.
func (g *gate) granted(response []byte) {
	switch g.req.kind {
	case allocateRequest:
		if g.reserved == nil {
			return // no even port, or a retransmitted request
		}
		attributes(response, func(kind uint16, value []byte) bool {
			if kind == attrReservationToken && len(value) == tokenBytes {
				g.server.reservations.keep([tokenBytes]byte(value), string(g.req.username), g.next, g.reserved)
				g.next, g.reserved = nil, nil
				return false
			}
			return true
		})
	case createPermissionRequest, channelBindRequest:
		s, now := g.session(g.req.from), g.server.now()
		if s == nil || !g.judged {
			return
		}
		for i, ports := range g.ports {
			s.permit(g.req.peers[i].Addr(), ports, now)
		}
		if g.req.kind == channelBindRequest {
			s.bind(g.req.channel, g.req.peers[0], now)
		}
	}
}
