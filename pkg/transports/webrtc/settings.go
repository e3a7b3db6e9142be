package webrtc

import (
	"time"

	"github.com/pion/ice/v2"
	pion "github.com/pion/webrtc/v3"
)

// iceTimeouts say how long a path may be silent.
type iceTimeouts struct {
	disconnected, failed, keepalive time.Duration
}

// defaultTimeouts let the connection to a vanished node fail after 30 seconds,
// as browsers do; the keepalive is sent on an idle path so that one that works is
// never silent for that long.
var defaultTimeouts = iceTimeouts{disconnected: 5 * time.Second, failed: 25 * time.Second, keepalive: 2 * time.Second}

// dtlsRetransmission is how long a flight of the DTLS handshake waits for its
// answer before it is sent again: a round trip on most paths.
const dtlsRetransmission = 200 * time.Millisecond

// settings are pion's, for one connection.
func (t *Transport) settings(mux ice.UDPMux) pion.SettingEngine {
	var s pion.SettingEngine
	s.LoggerFactory = t.log
	s.DetachDataChannels()
	s.SetICETimeouts(t.timeouts.disconnected, t.timeouts.failed, t.timeouts.keepalive)
	s.SetNet(t.net)

	// The side that is connected first sends its hello into a void. The next one
	// is sent after this time, not after pion's second.
	s.SetDTLSRetransmissionInterval(dtlsRetransmission)

	// UDP only. With TCP candidates any node could have this one open TCP
	// connections to addresses of its choice.
	s.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4, pion.NetworkTypeUDP6})
	s.DisableActiveTCP(true)

	// Resolving .local candidates would cost each connection a multicast socket
	// and let strangers send queries into the local network. A browser that
	// hides its addresses that way finds ours, and is then known by where its
	// packets come from.
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)

	if t.cfg.RelayOnly {
		// No better path comes that would be worth to wait for, as pion does for two
		// seconds otherwise.
		s.SetRelayAcceptanceMinWait(0)
	}
	s.SetIncludeLoopbackCandidate(t.useLoopback())
	if mux != nil {
		s.SetICEUDPMux(mux)
	}
	return s
}
