package helm

import (
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/version"
	"sigs.k8s.io/yaml"

	"github.com/peerexchange/peerexchange/test/schema"
)

// The oldest Kubernetes that the chart says it is for takes the definition of PeerNetworks,
// the one before it does not, and the documents name the same.
func TestOldestKubernetes(t *testing.T) {
	content, err := os.ReadFile("peer-exchange/Chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var about struct {
		KubeVersion string `json:"kubeVersion"`
	}
	if err := yaml.Unmarshal(content, &about); err != nil {
		t.Fatal(err)
	}
	oldest, err := version.ParseSemantic(strings.TrimPrefix(about.KubeVersion, ">="))
	if err != nil {
		t.Fatalf("the chart is for Kubernetes %q: %v", about.KubeVersion, err)
	}
	networks, err := schema.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := networks.Compile(oldest); err != nil {
		t.Errorf("Kubernetes %s refuses the definition: %v", oldest, err)
	}
	before := version.MajorMinor(oldest.Major(), oldest.Minor()-1)
	if networks.Compile(before) == nil {
		t.Errorf("Kubernetes %s takes the definition too", before)
	}
	says := "Kubernetes " + version.MajorMinor(oldest.Major(), oldest.Minor()).String() + " or newer"
	for _, path := range []string{"../../README.md", "../../docs/kubernetes.md"} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), says) {
			t.Errorf("%s does not say %q", path, says)
		}
	}
}
