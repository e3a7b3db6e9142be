package v1

// Autoscaling has the operator keep the number of peers of a seed near a
// target. It adds seeds at once, and takes them away one at a time, each of
// them drained, after fewer would have done for a whole window.
//
// +kubebuilder:validation:XValidation:rule="self.minReplicas <= self.maxReplicas",message="autoscaling.minReplicas is above autoscaling.maxReplicas: lower it, or raise maxReplicas (minReplicas is 2 unless it is given)"
type Autoscaling struct {
	// Fewest seeds, from 1 to 64. Default 2.
	//
	// +optional
	// +default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	MinReplicas int32 `json:"minReplicas,omitempty"`

	// Most seeds, from 1 to 64. It has no default, since it is what the network
	// may cost.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	MaxReplicas int32 `json:"maxReplicas"`

	// Peers that a seed is to have on average, from 1 to 1,000,000. Default 1000.
	//
	// +optional
	// +default=1000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	PeersPerSeed int32 `json:"peersPerSeed,omitempty"`

	// Seconds for which fewer seeds have to be enough, without interruption,
	// before one is taken away; from 0 to 86400. Default 600.
	//
	// +optional
	// +default=600
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	ScaleDownWindowSeconds *int32 `json:"scaleDownWindowSeconds,omitempty"`
}
