package resources

// Settings are the operator's own, the same for all networks.
type Settings struct {
	// Image of the seed, unless a network says another.
	Image string
	// ClusterDomain is that of the cluster's DNS, such as "cluster.local".
	ClusterDomain string
	// Namespace and PodLabels are those of the operator's own pods, which may reach
	// the private port of seeds.
	Namespace string
	PodLabels map[string]string
}
