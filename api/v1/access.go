package v1

// Access is who may connect to the seeds: everybody, or whoever has a token that
// one of these is for.
type Access struct {
	// Tokens, one a line. Peers with one of them may connect. Seeds
	// take changes without a restart; peers whose token is taken away are
	// disconnected.
	//
	// +optional
	Tokens *SecretKey `json:"tokens,omitempty"`

	// Key that tokens are signed with, which are then JSON Web
	// Tokens (HS256).
	//
	// +optional
	JWTSecret *SecretKey `json:"jwtSecret,omitempty"`

	// JSON Web Key Set, with whose keys tokens are signed (RS256,
	// ES256 or EdDSA).
	//
	// +optional
	JWKS *SecretKey `json:"jwks,omitempty"`
}

// SecretKey is one entry of a Secret in this namespace.
type SecretKey struct {
	// Name of the Secret.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName"`

	// Key of the Secret's data.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="is no key of a Secret: use letters, digits, -, _ and . only"
	Key string `json:"key"`
}
