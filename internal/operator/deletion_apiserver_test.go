//go:build apiserver

package operator

import (
	"bytes"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/rbac"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// owned are the kinds that the operator makes for a network, by the names that its role
// has for them.
var owned = map[string]schema.GroupVersionKind{
	"secrets":              {Version: "v1", Kind: "Secret"},
	"configmaps":           {Version: "v1", Kind: "ConfigMap"},
	"serviceaccounts":      {Version: "v1", Kind: "ServiceAccount"},
	"services":             {Version: "v1", Kind: "Service"},
	"statefulsets":         {Group: "apps", Version: "v1", Kind: "StatefulSet"},
	"poddisruptionbudgets": {Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
	"networkpolicies":      {Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
	"certificates":         resources.CertificateKind,
}

// Everything that is made goes with the network: Kubernetes' garbage collector, which
// no API server has by itself, goes by the owner references.
func TestAPIServerOwnsWhatItMakes(t *testing.T) {
	made := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeNodePort}})
	made.settled()
	issued := newWorld(t, *issuedCertificate.DeepCopy())
	issued.certManager()
	issued.settled()
	for name, kind := range owned {
		w := made
		if name == "certificates" {
			w = issued
		}
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		w.must(w.client.List(t.Context(), list, client.InNamespace(w.network.Namespace), client.HasLabels{resources.NetworkLabel}))
		if len(list.Items) == 0 {
			t.Errorf("there is no %s with the label %s", kind.Kind, resources.NetworkLabel)
		}
		for _, object := range list.Items {
			owner := metav1.GetControllerOf(&object)
			if owner == nil || owner.UID != w.network.UID || owner.Kind != v1.Kind || owner.BlockOwnerDeletion == nil || !*owner.BlockOwnerDeletion {
				t.Errorf("the %s %s is of %+v", kind.Kind, object.GetName(), owner)
			}
		}
	}
}

// No kind that the operator may create for networks is left out above.
func TestAPIServerEveryKindIsOwned(t *testing.T) {
	seen := 0
	for document := range bytes.SplitSeq(rbac.Roles, []byte("---\n")) {
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal(document, &role); err != nil {
			t.Fatal(err)
		}
		if role.Kind != "ClusterRole" {
			continue
		}
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				if !slices.Contains(rule.Verbs, "create") || resource == "events" {
					continue // events go by themselves
				}
				seen++
				if kind, ok := owned[resource]; !ok || !slices.Contains(rule.APIGroups, kind.Group) {
					t.Errorf("%v %s may be created, and no test sees whose they are", rule.APIGroups, resource)
				}
			}
		}
	}
	if seen != len(owned) {
		t.Errorf("the role lets %d kinds be created, and the test looks at %d", seen, len(owned))
	}
}
