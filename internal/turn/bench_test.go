package turn

import (
	"net/netip"
	"testing"
)

// BenchmarkRelay is a message from a client to a relayed address's peer and one back, but
// for the system calls: nothing is allocated for either.
func BenchmarkRelay(b *testing.B) {
	s := &Server{cfg: Config{}.withDefaults(), metrics: newMetrics(), notices: &notices{}}
	g := newGate(s, TransportUDP)
	client, peer := netip.MustParseAddrPort("192.0.2.1:1000"), netip.MustParseAddrPort("192.0.2.2:2000")
	session := newSession(g, client, "", nil)
	session.bind(0x4000, peer, 0)
	g.sessions[client] = session
	frame := channelFrame(inFrame(make([]byte, 200)), headroom, 200, 0x4000, false)
	back := inFrame(make([]byte, 200))
	b.ReportAllocs()
	for b.Loop() {
		number, _, _ := parseChannelData(frame)
		to, ok := g.session(client).peer(number, 1)
		if !ok || !s.reachable(to) || !session.takeBytes(0, 1) {
			b.Fatal("not relayed")
		}
		if number, ok = session.channel(peer, 1); !ok {
			b.Fatal("not relayed back")
		}
		channelFrame(back, headroom, 200, number, false)
	}
}
