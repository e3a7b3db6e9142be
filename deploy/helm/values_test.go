package helm

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"
)

// Every value is set in one of the files in testdata, whose manifests are looked at.
func TestEveryValueIsTested(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set := make(map[string]bool)
	for _, path := range paths {
		collect(readValues(t, path), "", set)
	}
	described := make(map[string]bool)
	collect(readValues(t, filepath.Join(chart, "values.yaml")), "", described)
	if len(described) < 40 {
		t.Errorf("there are only the values %v", described)
	}
	for value := range described {
		if !set[value] {
			t.Errorf("no file in testdata sets %s", value)
		}
	}
}

func readValues(t *testing.T, path string) map[string]any {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.UnmarshalStrict(content, &values); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return values
}

// collect adds the paths of values. What is passed on as it is counts as one.
func collect(values map[string]any, prefix string, into map[string]bool) {
	for name, value := range values {
		into[prefix+name] = true
		if inner, ok := value.(map[string]any); ok && !slices.Contains([]string{"resources", "nodeSelector", "labels"}, name) {
			collect(inner, prefix+name+".", into)
		}
	}
}
