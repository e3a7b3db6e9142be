package v1

// TLS is where the seeds' certificate is from. One certificate is for all
// seeds.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.secretName) && has(self.issuer))",message="tls.secretName and tls.issuer exclude each other: name the Secret of a certificate that you have, or the cert-manager issuer that is to make one"
type TLS struct {
	// Secret of type kubernetes.io/tls in this namespace, with a certificate that
	// is good for the host of every published address. Who renews it writes it
	// over; the seeds take the new one without a restart.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`

	// cert-manager issuer that makes the certificate, for the names of all seeds.
	//
	// +optional
	Issuer *IssuerReference `json:"issuer,omitempty"`
}

// IssuerReference names a cert-manager issuer.
type IssuerReference struct {
	// Name of the issuer.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// Issuer, which is in this namespace, or ClusterIssuer, or the kind of another
	// group. Default Issuer.
	//
	// +optional
	// +default="Issuer"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind,omitempty"`

	// API group of the kind. Default cert-manager.io.
	//
	// +optional
	// +default="cert-manager.io"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`
}
