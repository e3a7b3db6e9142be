package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is that of the types of this package.
var GroupVersion = schema.GroupVersion{Group: "peerexchange.dev", Version: "v1"}

// SchemeGroupVersion is GroupVersion, under the name that generated code knows.
var SchemeGroupVersion = GroupVersion

// Kind is that of a [PeerNetwork].
const Kind = "PeerNetwork"

var builder = runtime.NewSchemeBuilder(func(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &PeerNetwork{}, &PeerNetworkList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
})

// AddToScheme makes the types known to a scheme, and so to its clients.
var AddToScheme = builder.AddToScheme
