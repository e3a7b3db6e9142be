package v1_test

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// explainWidth is where kubectl explain breaks lines that are longer. What is
// broken at two widths is hard to read.
const explainWidth = 76

// The text of each field says the default and the range that the API server
// knows, and reads well in kubectl explain.
func TestFieldsSayDefaultsAndRanges(t *testing.T) {
	root := readSchema(t).Definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	seen := 0
	var visit func(path string, of reflect.Type, s apiextensionsv1.JSONSchemaProps)
	visit = func(path string, of reflect.Type, s apiextensionsv1.JSONSchemaProps) {
		for field := range of.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			property, at := s.Properties[name], path+"."+name
			if property.Description == "" {
				t.Errorf("%s has no text", at)
			}
			says(t, at, property)
			seen++
			if inner, ok := ours(field.Type); ok {
				if property.Items != nil {
					property = *property.Items.Schema
				}
				visit(at, inner, property)
			}
		}
	}
	visit("spec", reflect.TypeFor[v1.PeerNetworkSpec](), root.Properties["spec"])
	visit("status", reflect.TypeFor[v1.PeerNetworkStatus](), root.Properties["status"])
	if seen < 80 {
		t.Errorf("%d fields have a text", seen)
	}
}

func says(t *testing.T, path string, s apiextensionsv1.JSONSchemaProps) {
	t.Helper()
	text := oneLine(s.Description)
	var wants []string
	if s.Default != nil && s.Type != "object" {
		value := strings.NewReplacer(`"`, "", ",", ", ").Replace(string(s.Default.Raw))
		wants = append(wants, "Default "+value)
	}
	if s.Minimum != nil {
		wants = append(wants, fmt.Sprintf("from %s to %s", whole(*s.Minimum), whole(*s.Maximum)))
	}
	// What an enum or the text bounds anyway needs no number.
	if s.MaxItems != nil && *s.MaxItems > 4 {
		wants = append(wants, fmt.Sprintf("At most %d", *s.MaxItems))
	}
	if s.MaxProperties != nil {
		wants = append(wants, fmt.Sprintf("At most %d", *s.MaxProperties))
	}
	for _, want := range wants {
		if !strings.Contains(text, want) && !strings.Contains(strings.ReplaceAll(text, ",", ""), strings.ReplaceAll(want, ",", "")) {
			t.Errorf("%s does not say %q: %s", path, want, text)
		}
	}
	for paragraph := range strings.SplitSeq(s.Description, "\n\n") {
		lines := strings.Split(paragraph, "\n")
		if len(lines) > 1 && slices.ContainsFunc(lines, func(line string) bool { return len(line) > explainWidth }) {
			t.Errorf("%s has lines of more than %d characters: %q", path, explainWidth, lines)
		}
	}
}

func whole(n float64) string { return strconv.FormatInt(int64(n), 10) }
