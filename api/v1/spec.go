package v1

// PeerNetworkSpec is what a network and its seeds are to be. There are 64
// seeds at most, since each is linked with every other.
//
// +kubebuilder:validation:XValidation:rule="!has(self.turn) || !has(self.turn.relayPorts) || (has(self.exposure) && self.exposure.type == 'HostPort')",message="turn.relayPorts has no effect with this exposure.type: set exposure.type to HostPort, or remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.exposure) || !self.transports.exists(scheme, scheme in ['ws', 'tcp']) || (has(self.exposure.port) ? self.exposure.port : self.exposure.type == 'HostPort' ? 8443 : 443) != (has(self.exposure.plainPort) ? self.exposure.plainPort : self.exposure.type == 'HostPort' ? 8080 : 80)",message="exposure.port and exposure.plainPort are the same: give each a port of its own"
// +kubebuilder:validation:XValidation:rule="!has(self.exposure) || (has(self.turn) && has(self.turn.enabled) && !self.turn.enabled) || ((!has(self.exposure.port) || self.exposure.port != 3478) && (!has(self.exposure.plainPort) || self.exposure.plainPort != 3478))",message="exposure.port and exposure.plainPort cannot be 3478, which is the port of STUN and TURN: choose another, or set turn.enabled to false"
// +kubebuilder:validation:XValidation:rule="!has(self.exposure) || !has(self.exposure.plainPort) || self.transports.exists(scheme, scheme in ['ws', 'tcp'])",message="exposure.plainPort has no effect with these transports: add ws or tcp to transports, or remove it"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.autoscaling) || !has(self.autoscaling) || self.replicas == oldSelf.replicas",message="replicas has no effect with autoscaling: change autoscaling.minReplicas and autoscaling.maxReplicas, or remove autoscaling"
type PeerNetworkSpec struct {
	// ID of the network: any text that is unique to it, of 1 to 128 bytes (in
	// UTF-8) without control characters. Nodes connect only to nodes with the same
	// one. It cannot be changed, since all peers would be in another network.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="networkID cannot be changed: peers of the old network would be lost; make another PeerNetwork and delete this one"
	// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 128",message="networkID is longer than 128 bytes in UTF-8"
	// +kubebuilder:validation:XValidation:rule="!self.matches('[[:cntrl:]]')",message="networkID has control characters, such as a tab or a line's end"
	NetworkID string `json:"networkID"`

	// Number of seeds, from 1 to 64. Default 2. Two or more are needed for the
	// network to be entered while a seed is restarted. `kubectl scale` and a
	// HorizontalPodAutoscaler change it. It has no effect with autoscaling.
	//
	// +optional
	// +default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	Replicas int32 `json:"replicas,omitempty"`

	// Lets the operator choose the number of seeds by the number of peers. Without
	// it there are as many as replicas says.
	//
	// +optional
	Autoscaling *Autoscaling `json:"autoscaling,omitempty"`

	// How clients reach the seeds. Default: inside the cluster only.
	//
	// +optional
	// +kubebuilder:default={}
	Exposure Exposure `json:"exposure,omitzero"`

	// Schemes of the addresses that are published, in this order: wss (websocket
	// over TLS: for browsers and Node), tls (the exchange's protocol straight over
	// TLS: for Go and Node), and without TLS ws and tcp, for which a second port
	// is opened. Default [wss, tls].
	//
	// +optional
	// +listType=set
	// +kubebuilder:default={wss,tls}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Transports []TransportScheme `json:"transports,omitempty"`

	// Where the seeds' certificate is from. Default: an authority of the
	// operator's own, whose certificate is published with the addresses.
	//
	// +optional
	// +kubebuilder:default={}
	TLS TLS `json:"tls,omitzero"`

	// Relaying between peers that cannot connect directly. Default: on.
	//
	// +optional
	// +kubebuilder:default={}
	TURN TURN `json:"turn,omitzero"`

	// Who may connect to the seeds. Default: everybody.
	//
	// +optional
	Access Access `json:"access,omitzero"`

	// Limits of each seed: what a stranger can make it spend. Default: the seed's.
	//
	// +optional
	Limits Limits `json:"limits,omitzero"`

	// Seconds that a seed which is to go gives to introductions in progress and to
	// TURN allocations, from 0 to 3600. Its addresses are withdrawn first, and its
	// peers are told of the other seeds. Default 60.
	//
	// +optional
	// +default=60
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	DrainSeconds *int32 `json:"drainSeconds,omitempty"`

	// What the seeds may reach and who may reach their private port.
	//
	// +optional
	// +kubebuilder:default={}
	NetworkPolicy NetworkPolicy `json:"networkPolicy,omitzero"`

	// Image, resources and scheduling of the seeds' pods.
	//
	// +optional
	Pod Pod `json:"pod,omitzero"`
}

// TransportScheme is the scheme of a published address.
//
// +kubebuilder:validation:Enum=wss;tls;ws;tcp
type TransportScheme string

// The schemes.
const (
	SchemeWSS TransportScheme = "wss"
	SchemeTLS TransportScheme = "tls"
	SchemeWS  TransportScheme = "ws"
	SchemeTCP TransportScheme = "tcp"
)

// Secure tells whether the scheme is for the port with TLS.
func (s TransportScheme) Secure() bool { return s == SchemeWSS || s == SchemeTLS }
