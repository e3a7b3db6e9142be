// Package crd has the CustomResourceDefinition of PeerNetworks, which is made
// from the types of api/v1.
package crd

import _ "embed" // for the definition

// YAML is the definition.
//
//go:embed peerexchange.dev_peernetworks.yaml
var YAML []byte
