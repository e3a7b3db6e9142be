package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PeerNetwork is a peer-to-peer network's bootstrap cluster: seeds that are
// always there, each with addresses of its own, at which applications join the
// network.
//
// Applications are given the addresses in status.seeds, or the whole list in
// the ConfigMap NAME-bootstrap.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=peernetworks,shortName=pn,categories=peerexchange
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Network",type=string,JSONPath=`.spec.networkID`,description="Network ID that peers give"
// +kubebuilder:printcolumn:name="Ready",type=integer,JSONPath=`.status.readyReplicas`,description="Seeds that take connections"
// +kubebuilder:printcolumn:name="Desired",type=integer,JSONPath=`.status.desiredReplicas`,description="Seeds that there are to be"
// +kubebuilder:printcolumn:name="Peers",type=integer,JSONPath=`.status.peers`,description="Peers connected to all seeds"
// +kubebuilder:printcolumn:name="Address",type=string,JSONPath=`.status.address`,description="One published address"
// +kubebuilder:printcolumn:name="Available",type=string,JSONPath=`.status.conditions[?(@.type=="Available")].status`,description="Whether applications can join now"
// +kubebuilder:printcolumn:name="Why",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Available")].message`,description="What Available is for"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 40",message="metadata.name is longer than 40 characters: names of Services and Pods are made from it, choose a shorter one"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name is no name of a Service: start it with a letter and use a-z, 0-9 and - only"
type PeerNetwork struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// What the network and its seeds are to be.
	// +required
	Spec PeerNetworkSpec `json:"spec"`

	// What was observed of it. The operator writes it.
	// +optional
	Status PeerNetworkStatus `json:"status,omitzero"`
}

// PeerNetworkList is a list of PeerNetworks.
//
// +kubebuilder:object:root=true
type PeerNetworkList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []PeerNetwork `json:"items"`
}
