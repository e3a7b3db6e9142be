package v1

// TURN is relaying between peers that cannot connect directly. Its quotas are
// limits, and named turn-… there.
//
// +kubebuilder:validation:XValidation:rule="!has(self.secretRotationSeconds) || !has(self.credentialTTLSeconds) || self.secretRotationSeconds >= 2 * self.credentialTTLSeconds",message="turn.secretRotationSeconds is less than twice turn.credentialTTLSeconds: credentials would end before their time; raise it, or lower the other"
type TURN struct {
	// Whether the seeds relay. STUN goes with it. While it is false, the rest of
	// turn has no effect, and can stay for when it is true again. Default true.
	//
	// +optional
	// +default=true
	Enabled *bool `json:"enabled,omitempty"`

	// With exposure type HostPort: UDP ports for relayed connections, which are
	// opened on the nodes, so that a peer without a relay of its own reaches a
	// relayed one. Without it, and with other types, two peers that both use the
	// relay meet at it.
	//
	// +optional
	RelayPorts *PortRange `json:"relayPorts,omitempty"`

	// Networks that clients may be connected to although they are not public, such
	// as 10.1.0.0/16. At most 64. Default: none. Whoever can connect to a seed
	// gets a way into them.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	AllowedPeers []CIDR `json:"allowedPeers,omitempty"`

	// Networks that clients may not be connected to, besides those that are not
	// public and those of the cluster. It wins over allowedPeers. At most 64.
	// Default: none.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	DeniedPeers []CIDR `json:"deniedPeers,omitempty"`

	// Seconds for which credentials are good for new connections, from 60 to
	// 604800. Those that are there go on. Default 3600.
	//
	// +optional
	// +default=3600
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=604800
	CredentialTTLSeconds int32 `json:"credentialTTLSeconds,omitempty"`

	// Seconds after which credentials are made of a new secret, from 600 to
	// 31536000. The old one stays good until its credentials have ended. Default
	// 2592000 (30 days).
	//
	// +optional
	// +default=2592000
	// +kubebuilder:validation:Minimum=600
	// +kubebuilder:validation:Maximum=31536000
	SecretRotationSeconds int32 `json:"secretRotationSeconds,omitempty"`
}

// PortRange is a range of ports, both ends included.
//
// +kubebuilder:validation:XValidation:rule="self.min <= self.max",message="min is above max: exchange them, or correct one"
// +kubebuilder:validation:XValidation:rule="self.max - self.min < 1000",message="the range has more than 1000 ports: each is opened on the node by itself, choose fewer"
// +kubebuilder:validation:XValidation:rule="self.min > 3478 || self.max < 3478",message="the range has 3478, which is the port of STUN and TURN: choose one without it"
type PortRange struct {
	// First port, from 1024 to 65535.
	//
	// +required
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	Min int32 `json:"min"`

	// Last port, from 1024 to 65535; at most 999 above the first.
	//
	// +required
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	Max int32 `json:"max"`
}

// CIDR is a network, such as 10.0.0.0/8 or 2001:db8::/32.
//
// +kubebuilder:validation:MaxLength=49
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="is no network: write it as ADDRESS/BITS, such as 10.0.0.0/8, 192.0.2.7/32 or 2001:db8::/32"
type CIDR string
