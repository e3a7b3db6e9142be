// Package v1 is the Kubernetes API of peer-exchange: one PeerNetwork is one
// network, the seeds that it is entered by, and the addresses they are reached at.
//
// The comments are what `kubectl explain` says, and the markers what the API
// server checks, so they say units, defaults and ranges. The CRD, the deep copies
// and the apply configurations are made of them by `make generate`.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package=applyconfiguration
// +groupName=peerexchange.dev
package v1

//go:generate go tool -modfile=../../tools/go.mod controller-gen object crd:crdVersions=v1 applyconfiguration paths=. output:crd:dir=crd
