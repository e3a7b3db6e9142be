package resources

import (
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Limits are those that are given, as the seed's --limit takes them.
func Limits(l *v1.Limits) []string {
	var given []string
	for _, limit := range []struct{ name, value string }{
		{"handshake-time", l.HandshakeTime},
		{"control-message-bytes", number(l.ControlMessageBytes)},
		{"channel-name-bytes", number(l.ChannelNameBytes)},
		{"channels-per-peer", number(l.ChannelsPerPeer)},
		{"outbound-queue-bytes", number(l.OutboundQueueBytes)},
		{"receive-buffer-bytes", number(l.ReceiveBufferBytes)},
		{"pending-connections", number(l.PendingConnections)},
		{"peers", number(l.Peers)},
		{"peers-per-ip", number(l.PeersPerIP)},
		{"messages-per-second", number(l.MessagesPerSecond)},
		{"getpeer-per-second", number(l.GetpeerPerSecond)},
		{"candidate-time", l.CandidateTime},
		{"relays-per-peer", number(l.RelaysPerPeer)},
		{"negotiations", number(l.Negotiations)},
		{"negotiations-per-ip", number(l.NegotiationsPerIP)},
		{"relay-time", l.RelayTime},
		{"relay-bytes-per-second", number(l.RelayBytesPerSecond)},
		{"relay-bytes", number(l.RelayBytes)},
		{"held-signal-bytes", number(l.HeldSignalBytes)},
		{"held-signal-bytes-per-ip", number(l.HeldSignalBytesPerIP)},
		{"idle-time", l.IdleTime},
		{"ice-per-minute", number(l.ICEPerMinute)},
		{"turn-challenges-per-client", number(l.TURNChallengesPerClient)},
		{"turn-allocations", number(l.TURNAllocations)},
		{"turn-allocations-per-client", number(l.TURNAllocationsPerClient)},
		{"turn-allocations-per-credential", number(l.TURNAllocationsPerCredential)},
		{"turn-permissions", number(l.TURNPermissions)},
		{"turn-bytes", number(l.TURNBytes)},
		{"turn-bytes-per-allocation", number(l.TURNBytesPerAllocation)},
	} {
		if limit.value != "" {
			given = append(given, limit.name+"="+limit.value)
		}
	}
	return given
}

// number is a limit's value as text, empty if it is not given.
func number(value *intstr.IntOrString) string {
	if value == nil {
		return ""
	}
	return value.String()
}
