// Package rbac has the permissions that the operator needs, and no others. They are
// made from the markers here; the tests of package operator run with them alone.
//
// Secrets are read by name and never listed or watched, so that the operator sees those
// that PeerNetworks name or own.
package rbac

import _ "embed" // for the roles

//go:generate go tool -modfile=../../../tools/go.mod controller-gen rbac:roleName=peerexchange-operator paths=. output:rbac:dir=.

// Networks and their status. The finalizers are for clusters that ask for them before
// an owner may hold up its deletion.
// +kubebuilder:rbac:groups=peerexchange.dev,resources=peernetworks,verbs=get;list;watch
// +kubebuilder:rbac:groups=peerexchange.dev,resources=peernetworks/status,verbs=patch
// +kubebuilder:rbac:groups=peerexchange.dev,resources=peernetworks/finalizers,verbs=update

// What the operator observes. An annotation of pods has kubelets look at their volumes.
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=servicecidrs,verbs=get;list;watch

// Why a StatefulSet makes no pods, which is told in events only. Without this the status
// says where to look.
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=list

// What it makes.
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;patch
// +kubebuilder:rbac:groups="",resources=configmaps;serviceaccounts,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=services,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=cert-manager.io,resources=certificates,verbs=get;create;patch;delete

// What it says, and the lease of the operator that works, about which client-go says
// things in the older way.
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=system,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:groups="",namespace=system,resources=events,verbs=create;patch

// Roles are a ClusterRole, for the networks, and a Role, for the namespace that the
// operator runs in.
//
//go:embed role.yaml
var Roles []byte
