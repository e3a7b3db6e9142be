package v1

// NetworkPolicy is about the NetworkPolicy of the seeds. With it they reach
// the internet, each other and DNS, but nothing else of the cluster: what is
// relayed must not be a way into it. Their private port is reached by the
// operator and by the namespaces named here.
type NetworkPolicy struct {
	// Whether there is one. It takes effect where the cluster's network plugin
	// knows NetworkPolicies. Default true.
	//
	// +optional
	// +default=true
	Enabled *bool `json:"enabled,omitempty"`

	// Networks of the cluster that seeds may not reach, besides those that the
	// operator learns: pod ranges and addresses of nodes, and Service ranges. At
	// most 64. Default: none. Those that are public are denied to TURN too.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	ClusterCIDRs []CIDR `json:"clusterCIDRs,omitempty"`

	// Namespaces whose pods may reach the private port of the seeds, for metrics.
	// Default [monitoring]. At most 16.
	//
	// +optional
	// +listType=set
	// +kubebuilder:default={monitoring}
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="is no name of a namespace: use a-z, 0-9 and - only"
	MonitoringNamespaces []string `json:"monitoringNamespaces,omitempty"`
}
