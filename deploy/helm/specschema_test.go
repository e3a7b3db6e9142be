package helm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerexchange/peerexchange/api/v1/crd"
	"github.com/peerexchange/peerexchange/test/generated"
)

// kubernetesTypes are fields of spec.pod whose types are those of Kubernetes. The
// API server checks them; here they would be most of the schema.
var kubernetesTypes = []string{"affinity", "imagePullSecrets", "resources", "tolerations", "topologySpreadConstraints"}

// The definition "spec" is one line, which is all that is made in values.schema.json.
var specLine = regexp.MustCompile(`(?m)^    "spec": \{.*\}$`)

// Helm refuses what a PeerNetwork's spec does not have before it asks any cluster.
func TestGeneratedSpecSchema(t *testing.T) {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(crd.YAML, &definition); err != nil {
		t.Fatal(err)
	}
	spec := definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	values := valuesSchema("spec", spec)
	delete(values, "required") // networkID is network.id
	encoded, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(chart, "values.schema.json")
	schema, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(specLine.FindAll(schema, -1)) != 1 {
		t.Fatalf("%s has no one line for the spec", path)
	}
	generated.File(t, path, specLine.ReplaceAllLiteral(schema, append([]byte(`    "spec": `), encoded...)))
}

// valuesSchema is the part of a schema of Kubernetes that is JSON Schema too, without
// its texts.
func valuesSchema(name string, s apiextensionsv1.JSONSchemaProps) map[string]any {
	if slices.Contains(kubernetesTypes, name) {
		return map[string]any{"type": s.Type}
	}
	if s.XIntOrString {
		return map[string]any{"type": []string{"integer", "string"}}
	}
	out := map[string]any{"type": s.Type}
	if len(s.Enum) > 0 {
		out["enum"] = s.Enum
	}
	if s.Minimum != nil {
		out["minimum"] = *s.Minimum
	}
	if s.Maximum != nil {
		out["maximum"] = *s.Maximum
	}
	if s.MaxLength != nil {
		out["maxLength"] = *s.MaxLength
	}
	if s.Items != nil {
		out["items"] = valuesSchema("", *s.Items.Schema)
	}
	if s.AdditionalProperties != nil {
		out["additionalProperties"] = valuesSchema("", *s.AdditionalProperties.Schema)
	}
	if len(s.Properties) > 0 {
		properties := make(map[string]any)
		for name, property := range s.Properties {
			properties[name] = valuesSchema(name, property)
		}
		out["properties"], out["additionalProperties"] = properties, false
	}
	if len(s.Required) > 0 {
		out["required"] = s.Required
	}
	return out
}
