package webrtc

import (
	"fmt"
	"net/netip"

	pion "github.com/pion/webrtc/v3"
)

// srflxPenalty is the difference of type preferences between a host candidate
// (126) and a server-reflexive one (100), at its place in the priority (RFC 8445
// section 5.1.2.1).
const srflxPenalty = (126 - 100) << 24

// externalCandidates returns what a host candidate looks like from outside: one
// server-reflexive candidate for each configured external address of its family.
//
// pion can put external addresses in place of the local ones; in addition to
// them it is better, because nodes on the same side of the NAT connect too.
func externalCandidates(host *pion.ICECandidate, external []netip.AddrPort) []string {
	local, err := netip.ParseAddr(host.Address)
	if err != nil || host.Typ != pion.ICECandidateTypeHost || local.IsLoopback() {
		return nil
	}
	var lines []string
	for i, addr := range external {
		if addr.Addr().Is4() != local.Is4() {
			continue
		}
		port := addr.Port()
		if port == 0 {
			port = host.Port
		}
		// Candidates have one foundation if type, base and server are the same
		// (RFC 8445 section 5.1.1.3).
		lines = append(lines, fmt.Sprintf("candidate:%sx%d %d udp %d %s %d typ srflx raddr %s rport %d",
			foundation(host.Foundation), i, host.Component, max(host.Priority, srflxPenalty+1)-srflxPenalty, addr.Addr(), port, local, host.Port))
	}
	return lines
}

// foundation leaves room in the 32 characters that a foundation may have.
func foundation(s string) string { return s[:min(len(s), 24)] }
