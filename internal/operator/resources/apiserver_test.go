//go:build apiserver

package resources

import (
	"bytes"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/peerexchange/peerexchange/test/kube"
)

// A real API server takes all that is made, and applying it once more writes nothing.
func TestAPIServerTakesAll(t *testing.T) {
	server, err := kube.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	for name, n := range networks(t) {
		n.Namespace = name
		if output, err := server.Kubectl("", "create", "namespace", name); err != nil {
			t.Fatal(output)
		}
		var documents bytes.Buffer
		for _, object := range objects(n) {
			document, err := yaml.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(document, []byte("kind: Certificate")) {
				continue // cert-manager is not there
			}
			documents.WriteString("---\n")
			documents.Write(document)
		}
		versions := func() string {
			t.Helper()
			output, err := server.Kubectl(documents.String(), "apply", "--server-side", "--field-manager=operator", "-f", "-",
				"-o", `jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{"\n"}{end}`)
			if err != nil {
				t.Fatalf("%s: %s", name, output)
			}
			return output
		}
		first := versions()
		if strings.Count(first, "\n") < 8 {
			t.Fatalf("%s: applied only\n%s", name, first)
		}
		if second := versions(); second != first {
			t.Errorf("%s: applied once more, it is\n%s\nand was\n%s", name, second, first)
		}
	}
}
