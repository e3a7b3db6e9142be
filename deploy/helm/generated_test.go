package helm

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerexchange/peerexchange/api/v1/crd"
	"github.com/peerexchange/peerexchange/internal/operator/rbac"
	"github.com/peerexchange/peerexchange/test/generated"
)

//go:generate go test -count=1 -run ^TestGenerated . -update

const chart = "peer-exchange"

// clusterScoped are resources that a Role cannot give.
var clusterScoped = []string{"nodes", "servicecidrs"}

// The chart has the definition and the permissions that are made from the code. The
// rules of the ClusterRole are in two parts, since those on resources in namespaces
// can be given for some namespaces only.
func TestGeneratedChart(t *testing.T) {
	var everywhere rbacv1.ClusterRole
	var own rbacv1.Role
	documents := bytes.Split(bytes.TrimPrefix(rbac.Roles, []byte("---\n")), []byte("\n---\n"))
	if len(documents) != 2 {
		t.Fatalf("the operator has %d roles, not 2", len(documents))
	}
	for i, role := range []any{&everywhere, &own} {
		if err := yaml.UnmarshalStrict(documents[i], role); err != nil {
			t.Fatal(err)
		}
	}
	var cluster, namespaced []rbacv1.PolicyRule
	for _, rule := range everywhere.Rules {
		inCluster, inNamespace := rule, rule
		inCluster.Resources, inNamespace.Resources = nil, nil
		for _, resource := range rule.Resources {
			if slices.Contains(clusterScoped, resource) {
				inCluster.Resources = append(inCluster.Resources, resource)
			} else {
				inNamespace.Resources = append(inNamespace.Resources, resource)
			}
		}
		if inCluster.Resources != nil {
			cluster = append(cluster, inCluster)
		}
		if inNamespace.Resources != nil {
			namespaced = append(namespaced, inNamespace)
		}
	}
	generated.File(t, filepath.Join(chart, "charts/crds/crds/peerexchange.dev_peernetworks.yaml"), crd.YAML)
	for name, rules := range map[string][]rbacv1.PolicyRule{"cluster": cluster, "namespace": namespaced, "own": own.Rules} {
		content, err := yaml.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		generated.File(t, filepath.Join(chart, "files/rbac", name+".yaml"), content)
	}
}
