package v1

import corev1 "k8s.io/api/core/v1"

// Pod is image, resources and scheduling of the seeds' pods. A change restarts
// the seeds, one at a time. What keeps pods safe (users, capabilities, probes)
// is the operator's.
type Pod struct {
	// Image of the seed. Default: the one of the operator's own version.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// When the image is pulled. Default: Always for the tag latest, otherwise
	// IfNotPresent.
	//
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// Secrets of this namespace with which the image is pulled. At most 16.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`

	// CPU and memory of a seed. Default: requests of 100m CPU and 128Mi of memory,
	// and no limits. 10,000 peers take about 1Gi.
	//
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// Labels that a node must have, besides kubernetes.io/os: linux unless another
	// value is given for that one. At most 64.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// Taints of nodes that seeds tolerate. At most 64.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// Rules on which nodes and beside which pods seeds run.
	//
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// How seeds are spread. A constraint without a labelSelector is about all
	// seeds of the network. Default: over zones and over nodes, as well as it can
	// be done. At most 16.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// Name of a PriorityClass. Default: the cluster's.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// Annotations of the pods, such as those of a service mesh. At most 64.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`
}
