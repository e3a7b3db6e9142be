package v1

import "k8s.io/apimachinery/pkg/util/intstr"

// Limits bound what a stranger can make one seed spend; docs/limits.md says
// more about each. These are the ones that depend on how large a network is
// and who is in it; the seed has more, which are the same for all. The word
// unlimited takes a limit away.
type Limits struct {
	// Limit on how long a connection may take from its first byte to a ready peer. A time of 1ms or more with its unit, such as 500ms, 30s or 1h30m; or unlimited. Default 10s.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^(unlimited|([0-9]+([.][0-9]+)?(ms|s|m|h))+)$')",message="is no time: give it a unit, such as 500ms, 30s or 1h30m, or write unlimited"
	HandshakeTime string `json:"handshakeTime,omitempty"`

	// Limit on the longest message on a control channel. A number of bytes, 1KiB or more, such as 65536 or 64KiB, below 2GiB; or unlimited. Default 64KiB.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	ControlMessageBytes *intstr.IntOrString `json:"controlMessageBytes,omitempty"`

	// Limit on the longest name of a multiplex channel. A number of bytes, 64 or more, such as 65536 or 64KiB, below 2GiB; or unlimited. Default 512.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	ChannelNameBytes *intstr.IntOrString `json:"channelNameBytes,omitempty"`

	// Limit on multiplex channels of a connection, relays included. A whole number from 3 to 2147483647, or unlimited. Default 128.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([3-9]|[1-9][0-9]{1,9}|unlimited)$') : (self >= 3 && self <= 2147483647)",message="is no whole number from 3 to 2147483647: correct it, or write unlimited"
	ChannelsPerPeer *intstr.IntOrString `json:"channelsPerPeer,omitempty"`

	// Limit on what may wait for a peer that does not read. A number of bytes, 4KiB or more, such as 65536 or 64KiB, below 2GiB; or unlimited. Default 256KiB.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	OutboundQueueBytes *intstr.IntOrString `json:"outboundQueueBytes,omitempty"`

	// Limit on application data of a peer that waits to be read. A number of bytes, 4KiB or more, such as 65536 or 64KiB, below 2GiB; or unlimited. Default 1MiB.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	ReceiveBufferBytes *intstr.IntOrString `json:"receiveBufferBytes,omitempty"`

	// Limit on connections that are no peer yet; one more closes the oldest. A whole number from 1 to 2147483647, or unlimited. Default 4096.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	PendingConnections *intstr.IntOrString `json:"pendingConnections,omitempty"`

	// Limit on peers of a seed. A whole number from 1 to 2147483647, or unlimited. Default 10000.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	Peers *intstr.IntOrString `json:"peers,omitempty"`

	// Limit on peers of a seed from one IPv4 address or IPv6 /64. A whole number from 1 to 2147483647, or unlimited. Default 128.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	PeersPerIP *intstr.IntOrString `json:"peersPerIP,omitempty"`

	// Limit on control messages of each peer, per second. A whole number from 1 to 2147483647, or unlimited. Default 100.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	MessagesPerSecond *intstr.IntOrString `json:"messagesPerSecond,omitempty"`

	// Limit on requests for a peer, of each peer, per second. A whole number from 1 to 2147483647, or unlimited. Default 10.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	GetpeerPerSecond *intstr.IntOrString `json:"getpeerPerSecond,omitempty"`

	// Limit on how long an introduction that was offered to a peer of generation 1 can be taken up. A time of 1ms or more with its unit, such as 500ms, 30s or 1h30m; or unlimited. Default 15s.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^(unlimited|([0-9]+([.][0-9]+)?(ms|s|m|h))+)$')",message="is no time: give it a unit, such as 500ms, 30s or 1h30m, or write unlimited"
	CandidateTime string `json:"candidateTime,omitempty"`

	// Limit on signaling relays of a peer at a time. A whole number from 1 to 2147483647, or unlimited. Default 64.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	RelaysPerPeer *intstr.IntOrString `json:"relaysPerPeer,omitempty"`

	// Limit on connections that a seed negotiates at a time because others ask. A whole number from 1 to 2147483647, or unlimited. Default 1024.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	Negotiations *intstr.IntOrString `json:"negotiations,omitempty"`

	// Limit on those that peers at one IPv4 address or IPv6 /64 have brought. A whole number from 1 to 2147483647, or unlimited. Default 64.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	NegotiationsPerIP *intstr.IntOrString `json:"negotiationsPerIP,omitempty"`

	// Limit on how long a signaling relay stays open. A time of 1ms or more with its unit, such as 500ms, 30s or 1h30m; or unlimited. Default 30s.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^(unlimited|([0-9]+([.][0-9]+)?(ms|s|m|h))+)$')",message="is no time: give it a unit, such as 500ms, 30s or 1h30m, or write unlimited"
	RelayTime string `json:"relayTime,omitempty"`

	// Limit on bytes per second of a signaling relay in each direction. A number of bytes, 1 or more, such as 65536 or 64KiB, below 2GiB; or unlimited. Default 50000.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	RelayBytesPerSecond *intstr.IntOrString `json:"relayBytesPerSecond,omitempty"`

	// Limit on bytes of a signaling relay in each direction in all. A number of bytes, 1 or more, such as 65536 or 64KiB, below 2GiB; or unlimited. Default 1MiB.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	RelayBytes *intstr.IntOrString `json:"relayBytes,omitempty"`

	// Limit on signals that wait in relays, in all. A number of bytes, 64KiB or more, such as 1048576 or 1MiB, below 2GiB; or unlimited. Default 32MiB.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	HeldSignalBytes *intstr.IntOrString `json:"heldSignalBytes,omitempty"`

	// Limit on those of peers at one IPv4 address or IPv6 /64. A number of bytes, 64KiB or more, such as 1048576 or 1MiB, below 2GiB; or unlimited. Default 1MiB.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	HeldSignalBytesPerIP *intstr.IntOrString `json:"heldSignalBytesPerIP,omitempty"`

	// Limit on how long a peer may be silent. A time of 1s or more with its unit, such as 500ms, 30s or 1h30m; or unlimited. Default unlimited.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^(unlimited|([0-9]+([.][0-9]+)?(ms|s|m|h))+)$')",message="is no time: give it a unit, such as 500ms, 30s or 1h30m, or write unlimited"
	IdleTime string `json:"idleTime,omitempty"`

	// Limit on requests for ICE servers from one IPv4 address or IPv6 /64, per minute. A whole number from 1 to 2147483647, or unlimited. Default 60.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	ICEPerMinute *intstr.IntOrString `json:"icePerMinute,omitempty"`

	// Limit on answers a second to requests without credentials of one TURN client. A whole number from 1 to 2147483647, or unlimited. Default 20.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	TURNChallengesPerClient *intstr.IntOrString `json:"turnChallengesPerClient,omitempty"`

	// Limit on TURN allocations of a seed. A whole number from 1 to 2147483647, or unlimited. Default 8192.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	TURNAllocations *intstr.IntOrString `json:"turnAllocations,omitempty"`

	// Limit on TURN allocations of one IPv4 address or IPv6 /64. A whole number from 1 to 2147483647, or unlimited. Default 256.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	TURNAllocationsPerClient *intstr.IntOrString `json:"turnAllocationsPerClient,omitempty"`

	// Limit on TURN allocations with the credentials of one client. A whole number from 1 to 2147483647, or unlimited. Default 128.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	TURNAllocationsPerCredential *intstr.IntOrString `json:"turnAllocationsPerCredential,omitempty"`

	// Limit on peers of a TURN allocation. A whole number from 1 to 2147483647, or unlimited. Default 128.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no whole number from 1 to 2147483647: correct it, or write unlimited"
	TURNPermissions *intstr.IntOrString `json:"turnPermissions,omitempty"`

	// Limit on bytes per second through all TURN allocations of a seed. A number of bytes, 1 or more, such as 65536 or 64KiB, below 2GiB; or unlimited. Default 128MiB.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	TURNBytes *intstr.IntOrString `json:"turnBytes,omitempty"`

	// Limit on bytes per second through a TURN allocation, both ways together. A number of bytes, 1 or more, such as 65536 or 64KiB, below 2GiB; or unlimited. Default 8MiB.
	//
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="type(self) == string ? self.matches('^([1-9][0-9]{0,9}([.][0-9]{1,3})?( ?([kKMG]i?)?B)?|unlimited)$') : (self >= 1 && self <= 2147483647)",message="is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"
	TURNBytesPerAllocation *intstr.IntOrString `json:"turnBytesPerAllocation,omitempty"`
}
