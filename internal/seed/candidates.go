package seed

import (
	"net/netip"

	"github.com/peerexchange/peerexchange/internal/turn"
)

// allowCandidate tells whether the seed's own WebRTC sends to where a peer says that
// it may be reached. An address that is not public means something to the seed only if
// whoever introduces the peer is in the same kind of network, or on the seed's machine;
// else strangers could have the seed send into networks that they are not in. Such a
// peer finds the seed by the seed's addresses all the same.
func allowCandidate(candidate, introducer netip.Addr) bool {
	class := turn.SpecialClass(candidate)
	if class == "" {
		return true
	}
	if !introducer.IsValid() {
		return false
	}
	from := turn.SpecialClass(introducer)
	switch class {
	case turn.DeniedPrivate, turn.DeniedShared:
		return from == class || from == turn.DeniedLoopback
	case turn.DeniedLoopback, turn.DeniedLinkLocal:
		return from == class
	}
	return false
}
