package v1

// Exposure is how clients reach the seeds. Each seed has addresses of its own,
// since peers connect to a seed and not to a service.
//
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancer) || self.type == 'LoadBalancer'",message="exposure.loadBalancer has no effect with this exposure.type: set exposure.type to LoadBalancer, or remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.addressTypes) || self.type in ['NodePort', 'HostPort']",message="exposure.addressTypes has no effect with this exposure.type: it is for NodePort and HostPort, remove it"
// +kubebuilder:validation:XValidation:rule="!(has(self.port) || has(self.plainPort)) || self.type in ['LoadBalancer', 'HostPort'] || (self.type == 'ClusterIP' && has(self.domain))",message="exposure.port and exposure.plainPort have no effect here: the cluster chooses node ports, and inside the cluster ports are those of the pods; remove them"
type Exposure struct {
	// How the seeds are exposed. Default ClusterIP.
	//
	// ClusterIP: inside the cluster, at the stable DNS name of each pod. With a
	// domain there is a Service for each seed, for a proxy of yours in front that
	// passes TLS through.
	//
	// NodePort: at the addresses of the node that a seed is on, on ports that the
	// cluster chooses.
	//
	// LoadBalancer: a load balancer for each seed, which the cluster's controller
	// makes, and mostly charges for.
	//
	// HostPort: at the addresses of the node that a seed is on, on the same ports
	// on each. There is one seed of the network on a node, and the namespace must
	// allow host ports (Pod Security level privileged).
	//
	// +optional
	// +default="ClusterIP"
	Type ExposureType `json:"type,omitempty"`

	// With NodePort and HostPort: which of a node's addresses are used. The
	// first type that the node has any of, with all of its addresses of that type,
	// of the IP families that the seed's Service or pod has.
	// Default [ExternalDNS, ExternalIP, InternalDNS, InternalIP].
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	AddressTypes []NodeAddressType `json:"addressTypes,omitempty"`

	// DNS domain for names of the seeds: <ordinal>.<domain>, as in
	// 0.seeds.example.org. These are published instead of addresses. external-dns
	// makes the records by the annotations of each seed's Service, or you do.
	// Default: none.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$')",message="exposure.domain is no DNS domain: write it in lower case without a dot at its end, such as seeds.example.org"
	Domain string `json:"domain,omitempty"`

	// TCP port at which clients reach TLS, from 1 to 65535. Default 443 with
	// LoadBalancer, and with ClusterIP and a domain; 8443 with HostPort.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`

	// TCP port at which clients reach what is without TLS, from 1 to 65535, if
	// transports has ws or tcp. Default 80 with LoadBalancer, and with
	// ClusterIP and a domain; 8080 with HostPort.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	PlainPort int32 `json:"plainPort,omitempty"`

	// More about the load balancers, with LoadBalancer.
	//
	// +optional
	LoadBalancer *LoadBalancer `json:"loadBalancer,omitempty"`
}

// ExposureType is one way to expose seeds.
//
// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer;HostPort
type ExposureType string

// The ways to expose seeds.
const (
	ExposeClusterIP    ExposureType = "ClusterIP"
	ExposeNodePort     ExposureType = "NodePort"
	ExposeLoadBalancer ExposureType = "LoadBalancer"
	ExposeHostPort     ExposureType = "HostPort"
)

// NodeAddressType is a type of address that a Node's status has.
//
// +kubebuilder:validation:Enum=ExternalDNS;ExternalIP;InternalDNS;InternalIP
type NodeAddressType string

// The types of a node's addresses.
const (
	NodeExternalDNS NodeAddressType = "ExternalDNS"
	NodeExternalIP  NodeAddressType = "ExternalIP"
	NodeInternalDNS NodeAddressType = "InternalDNS"
	NodeInternalIP  NodeAddressType = "InternalIP"
)

// LoadBalancer is about the load balancer of each seed.
type LoadBalancer struct {
	// Class of load balancer (a Service's spec.loadBalancerClass). A change makes
	// new load balancers, with new addresses. Default: the cluster's.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Class string `json:"class,omitempty"`

	// Annotations of each seed's Service, with which cloud providers configure
	// load balancers. At most 64. Those that others put there stay.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`

	// How UDP, which STUN and TURN use besides TCP, is published. Default Shared.
	//
	// Shared: in the same load balancer. Separate: in a second one for each seed,
	// where a provider has no load balancers for both. Off: not at all; STUN and
	// TURN are then reached by TCP and TLS. Write "Off" in quotes, without which
	// YAML has it for false.
	//
	// +optional
	// +default="Shared"
	// +kubebuilder:validation:Enum=Shared;Separate;Off
	UDP LoadBalancerUDP `json:"udp,omitempty"`
}

// LoadBalancerUDP is how a load balancer's UDP port is published.
type LoadBalancerUDP string

// The ways to publish UDP.
const (
	UDPShared   LoadBalancerUDP = "Shared"
	UDPSeparate LoadBalancerUDP = "Separate"
	UDPOff      LoadBalancerUDP = "Off"
)
