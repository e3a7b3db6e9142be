package schema

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// Object reads a YAML document as an API server does: its whole numbers are int64.
func Object(document string) (map[string]any, error) {
	encoded, err := yaml.YAMLToJSONStrict([]byte(document))
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	var object map[string]any
	return object, json.Unmarshal(encoded, &object)
}
