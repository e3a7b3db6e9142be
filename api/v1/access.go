package v1

// Access is who may connect to the seeds: everybody, or, if there is any of
// these, whoever has a token that is good by one of them. Seeds take changes
// of the Secrets without a restart; who is connected stays.
type Access struct {
	// Tokens, one a line of 16 bytes or more, each of them good for everybody who
	// has it.
	//
	// +optional
	Tokens *SecretKey `json:"tokens,omitempty"`

	// Secrets of JSON Web Tokens that are signed with HS256, one a line of 32
	// bytes or more.
	//
	// +optional
	JWTSecret *SecretKey `json:"jwtSecret,omitempty"`

	// Public keys of JSON Web Tokens, as a JSON Web Key Set.
	//
	// +optional
	JWKS *SecretKey `json:"jwks,omitempty"`
}

// TokensNeeded tells whether only those with a token may connect.
func (a Access) TokensNeeded() bool { return a.Tokens != nil || a.JWTSecret != nil || a.JWKS != nil }

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
