package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PeerNetworkStatus is what the operator observed of a network.
type PeerNetworkStatus struct {
	// Generation of the spec that this status is of.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Available, Progressing, Published and CertificateReady.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Seeds that there are to be: spec.replicas, or what autoscaling decided.
	//
	// +optional
	DesiredReplicas int32 `json:"desiredReplicas"`

	// Seeds that exist, those that start or drain included.
	//
	// +optional
	Replicas int32 `json:"replicas"`

	// Seeds that take connections.
	//
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`

	// Label selector of the seeds' pods, for a HorizontalPodAutoscaler.
	//
	// +optional
	Selector string `json:"selector,omitempty"`

	// Peers that are connected to all seeds together.
	//
	// +optional
	Peers int32 `json:"peers"`

	// One of the published addresses, as a URL.
	//
	// +optional
	Address string `json:"address,omitempty"`

	// Each seed, by its ordinal.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	Seeds []SeedStatus `json:"seeds,omitempty"`

	// The published bootstrap document.
	//
	// +optional
	Bootstrap *BootstrapStatus `json:"bootstrap,omitempty"`

	// What autoscaling has to remember.
	//
	// +optional
	Autoscaling *AutoscalingStatus `json:"autoscaling,omitempty"`
}

// SeedStatus is one seed.
type SeedStatus struct {
	// Name of the seed and of its pod.
	//
	// +required
	Name string `json:"name"`

	// Node that it is on.
	//
	// +optional
	NodeName string `json:"nodeName,omitempty"`

	// Whether it takes connections.
	//
	// +optional
	Ready bool `json:"ready"`

	// Whether the operator reached it at any of its addresses. Those at which
	// it did are published then.
	//
	// +optional
	Reachable bool `json:"reachable"`

	// Whether it is about to go.
	//
	// +optional
	Draining bool `json:"draining"`

	// Why it is reachable or not, in one word.
	//
	// +optional
	Reason SeedReason `json:"reason,omitempty"`

	// The same for a person to act on.
	//
	// +optional
	Message string `json:"message,omitempty"`

	// Peers that are connected to it. Missing if it does not tell.
	//
	// +optional
	Peers *int32 `json:"peers,omitempty"`

	// URLs at which clients reach it, best first. They are published while
	// reachable is true and draining is not; one at which it was not reached is
	// left out then.
	//
	// +optional
	// +listType=atomic
	Addresses []string `json:"addresses,omitempty"`

	// URLs (stun:, turn:, turns:) of its STUN and TURN server, for which clients
	// get credentials from it. They are published with its addresses; one at which
	// nothing answered is left out.
	//
	// +optional
	// +listType=atomic
	TURNAddresses []string `json:"turnAddresses,omitempty"`
}

// Published tells whether the seed's addresses are.
func (s *SeedStatus) Published() bool {
	return s.Ready && s.Reachable && !s.Draining && len(s.Addresses) > 0
}

// SeedReason is why a seed is reachable or not.
type SeedReason string

// The reasons of seeds.
const (
	// SeedReached: the operator reached it at every address.
	SeedReached SeedReason = "Reached"
	// SeedPending: its pod is not there, not scheduled, or does not take
	// connections yet.
	SeedPending SeedReason = "Pending"
	// SeedDraining: it is about to go: its pod is being deleted, or it says that it drains.
	SeedDraining SeedReason = "Draining"
	// SeedNoAddress: the cluster has given it no address yet, or its node has none
	// of spec.exposure.addressTypes.
	SeedNoAddress SeedReason = "NoAddress"
	// SeedNotProbed: it has an address that was not tried yet.
	SeedNotProbed SeedReason = "NotProbed"
	// SeedResolveFailed: a name of its addresses has no DNS record. With this and the
	// reasons below it is published without the addresses at which it was not reached,
	// unless these are all that it has.
	SeedResolveFailed SeedReason = "ResolveFailed"
	// SeedDialFailed: nothing answers there: a firewall, a load balancer that is
	// not up yet.
	SeedDialFailed SeedReason = "DialFailed"
	// SeedTLSFailed: the certificate is not good for the address.
	SeedTLSFailed SeedReason = "TLSFailed"
	// SeedHandshakeFailed: what answers there is no seed of this network.
	SeedHandshakeFailed SeedReason = "HandshakeFailed"
	// SeedSTUNFailed: the STUN and TURN server does not answer over UDP at some of its
	// addresses. It is published without these.
	SeedSTUNFailed SeedReason = "STUNFailed"
	// SeedTURNFailed: the TURN server does not answer over TCP or TLS at some of its
	// addresses. It is published without these.
	SeedTURNFailed SeedReason = "TURNFailed"
)

// BootstrapStatus is about the published bootstrap document.
type BootstrapStatus struct {
	// Name of the ConfigMap that has it as bootstrap.json, and its addresses one a
	// line as addresses.
	//
	// +optional
	ConfigMapName string `json:"configMapName,omitempty"`

	// Number of the document; a newer one has a higher.
	//
	// +optional
	Sequence int64 `json:"sequence,omitempty"`

	// Ed25519 key that it is signed with, in base64. Programs that fetch the
	// document from elsewhere verify it with this key.
	//
	// +optional
	PublicKey string `json:"publicKey,omitempty"`
}

// AutoscalingStatus is what autoscaling has to remember.
type AutoscalingStatus struct {
	// Since when fewer seeds would have been enough without interruption.
	//
	// +optional
	FewerSince *metav1.Time `json:"fewerSince,omitempty"`
}
