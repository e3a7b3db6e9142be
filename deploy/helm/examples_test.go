package helm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/peerexchange/peerexchange/test/markdown"
	"github.com/peerexchange/peerexchange/test/schema"
)

// The manifests for users are what an API server takes.
func TestExamples(t *testing.T) {
	networks, err := schema.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("../../examples/kubernetes/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), "kind: PeerNetwork") {
			t.Errorf("%s has no PeerNetwork", path)
		}
		for document := range strings.SplitSeq(string(content), "\n---\n") {
			decode(t, networks, document)
		}
	}
}

// And so are those in the documents.
func TestExamplesInDocuments(t *testing.T) {
	networks, err := schema.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"../../docs/kubernetes.md", "../../docs/api.md"} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, block := range markdown.Blocks(string(content)) {
			if block.Language == "yaml" {
				found = true
				decode(t, networks, block.Text)
			}
		}
		if !found {
			t.Errorf("%s has no manifest", path)
		}
	}
}

// decode reads a manifest, strictly.
func decode(t *testing.T, networks *schema.Schema, document string) {
	t.Helper()
	object, err := schema.Object(document)
	if err != nil {
		t.Errorf("%v in\n%s", err, document)
		return
	}
	switch object["apiVersion"] {
	case "monitoring.coreos.com/v1": // types of the Prometheus Operator, which is no dependency
	case "peerexchange.dev/v1":
		if _, err := networks.Read(t.Context(), document); err != nil {
			t.Errorf("%v in\n%s", err, document)
		}
	default:
		known := runtime.NewScheme()
		if err := clientgoscheme.AddToScheme(known); err != nil {
			t.Fatal(err)
		}
		strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, known, known, json.SerializerOptions{Yaml: true, Strict: true})
		if _, _, err := strict.Decode([]byte(document), nil, nil); err != nil {
			t.Errorf("%v in\n%s", err, document)
		}
	}
}
