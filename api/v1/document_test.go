package v1_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/test/generated"
)

//go:generate go test -count=1 -run ^TestGeneratedDocument$ . -update

// TestGeneratedDocument holds docs/api.md to the definition and to the comments.
func TestGeneratedDocument(t *testing.T) {
	generated.File(t, "../../docs/api.md", []byte(newDocument(t).String()))
}

// document is docs/api.md as far as it is written.
type document struct {
	strings.Builder
	comments comments
	sections map[reflect.Type]string // the path of each, by its type
}

func newDocument(t *testing.T) *document {
	t.Helper()
	d := &document{comments: readComments(t), sections: make(map[reflect.Type]string)}
	definition := readSchema(t).Definition
	version := definition.Spec.Versions[0]
	root := version.Schema.OpenAPIV3Schema

	d.printf("# PeerNetwork\n\n<!-- Made by `make generate` from api/v1: change the comments there. -->\n\n")
	d.paragraphs(d.comments.types["PeerNetwork"])
	d.printf("This page is of `apiVersion: %s`, `kind: %s`, short name `%s`. `kubectl explain %s.spec --recursive` says the same on your\n"+
		"cluster. [kubernetes.md](kubernetes.md) is about running networks.\n\n",
		v1.GroupVersion, definition.Spec.Names.Kind, definition.Spec.Names.ShortNames[0], definition.Spec.Names.ShortNames[0])
	d.printf("```yaml\n%s```\n\n", strings.TrimPrefix(minimal, "\n"))
	d.printf("All else has a default or is optional. Fields that are not here are refused by kubectl, and below each table is what else the API\n" +
		"server refuses, in its words.\n\n")
	d.rules("The name", []rule{{"metadata.name", root}})

	d.section("spec", reflect.TypeFor[v1.PeerNetworkSpec](), root.Properties["spec"])
	d.section("status", reflect.TypeFor[v1.PeerNetworkStatus](), root.Properties["status"])
	d.conditions()
	d.printf("## Reasons of seeds\n\n`status.seeds[].reason` is one of these, and `message` beside it says more.\n\n| reason | |\n|---|---|\n")
	for _, reason := range d.comments.seedReasons() {
		d.printf("| `%s` | %s |\n", reason.name, cell(sentence(reason.meaning)))
	}
	d.printf("\n## Columns of kubectl get\n\n| column | |\n|---|---|\n")
	for _, column := range version.AdditionalPrinterColumns {
		wide := ""
		if column.Priority > 0 {
			wide = ", with `-o wide`"
		}
		if column.Description != "" {
			d.printf("| %s | %s%s |\n", strings.ToUpper(column.Name), cell(column.Description), wide)
		}
	}
	return d
}

func (d *document) printf(format string, args ...any) { fmt.Fprintf(d, format, args...) }

// paragraphs writes a comment, each of its paragraphs in a line.
func (d *document) paragraphs(comment string) {
	for paragraph := range strings.SplitSeq(strings.TrimSpace(comment), "\n\n") {
		d.printf("%s\n\n", escaped(oneLine(paragraph)))
	}
}

// section writes the table of an object's fields, what is refused about them, and
// then the sections of those fields that have fields themselves.
func (d *document) section(path string, of reflect.Type, s apiextensionsv1.JSONSchemaProps) {
	d.printf("%s %s\n\n", strings.Repeat("#", min(2+strings.Count(path, "."), 4)), path)
	d.paragraphs(described(of.Name(), d.comments.types[of.Name()]))
	d.printf("| field | type | |\n|---|---|---|\n")
	refusing := []rule{{"", &s}}
	type below struct {
		path   string
		of     reflect.Type
		schema apiextensionsv1.JSONSchemaProps
	}
	var nested []below
	for field := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		property := s.Properties[name]
		shown := fmt.Sprintf("`%s`", name)
		if inner, ok := ours(field.Type); ok {
			in := below{path + "." + name, inner, property}
			if property.Items != nil {
				in.path, in.schema = in.path+"[]", *property.Items.Schema
			}
			if first, ok := d.sections[inner]; ok {
				in.path = first
			} else {
				d.sections[inner] = in.path
				nested = append(nested, in)
			}
			shown = fmt.Sprintf("[%s](#%s)", shown, anchor(in.path))
		} else {
			refusing = append(refusing, rule{name, &property})
			if property.Items != nil && property.Items.Schema != nil {
				refusing = append(refusing, rule{name, property.Items.Schema})
			}
		}
		kind := typeName(field.Type, property)
		if slices.Contains(s.Required, name) {
			kind += ", required"
		}
		d.printf("| %s | %s | %s |\n", shown, kind, cell(property.Description))
	}
	d.printf("\n")
	d.rules("Refused", refusing)
	for _, in := range nested {
		d.section(in.path, in.of, in.schema)
	}
}

// rule is a field, without a name that of the section, whose schema may have rules.
type rule struct {
	name   string
	schema *apiextensionsv1.JSONSchemaProps
}

// rules writes the messages of broken rules, each once.
func (d *document) rules(title string, of []rule) {
	fields := make(map[string][]string)
	var messages []string
	for _, r := range of {
		for _, validation := range r.schema.XValidations {
			if _, ok := fields[validation.Message]; !ok {
				messages = append(messages, validation.Message)
			}
			fields[validation.Message] = append(fields[validation.Message], r.name)
		}
	}
	if len(messages) == 0 {
		return
	}
	d.printf("%s:\n\n", title)
	for _, message := range messages {
		var named []string
		for _, name := range fields[message] {
			// Most messages begin with the field themselves.
			if first, _, _ := strings.Cut(message, " "); name != "" && first != name && !strings.HasSuffix(first, "."+name) {
				named = append(named, "`"+name+"`")
			}
		}
		if len(named) > 0 {
			d.printf("- %s: %s\n", strings.Join(named, ", "), escaped(message))
		} else {
			d.printf("- %s\n", escaped(message))
		}
	}
	d.printf("\n")
}

func (d *document) conditions() {
	d.printf("## Conditions\n\n")
	_, text, _ := strings.Cut(d.comments.groups["ConditionAvailable"], ". ")
	d.paragraphs(text)
	for _, condition := range d.comments.conditions() {
		d.printf("### %s\n\n%s\n\n| status | reason | |\n|---|---|---|\n", condition.name, escaped(sentence(condition.tells)))
		for _, reason := range condition.reasons {
			d.printf("| %s | `%s` | %s |\n", reason.status, reason.name, cell(sentence(reason.meaning)))
		}
		d.printf("\n")
	}
}

// ours is the struct of this package that a field is, points to or lists.
func ours(of reflect.Type) (reflect.Type, bool) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	return of, of.Kind() == reflect.Struct && of.PkgPath() == reflect.TypeFor[v1.PeerNetwork]().PkgPath()
}

// typeName is a field's type as people write it in YAML. Types of Kubernetes are not
// explained here.
func typeName(of reflect.Type, s apiextensionsv1.JSONSchemaProps) string {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch {
	case s.XIntOrString:
		return "integer or string"
	case s.Format == "date-time":
		return "time"
	case s.Type == "array":
		return "list of " + typeName(of.Elem(), *s.Items.Schema)
	case s.Type == "object" && s.AdditionalProperties != nil:
		return "map of strings"
	case s.Type == "object":
		if _, mine := ours(of); mine {
			return "object"
		}
		return "Kubernetes' " + of.Name()
	case len(s.Enum) > 0:
		var values []string
		for _, value := range s.Enum {
			values = append(values, "`"+strings.Trim(string(value.Raw), `"`)+"`")
		}
		return strings.Join(values, ", ")
	}
	return s.Type
}

// described is the comment of a type as a text about what it is.
func described(name, comment string) string {
	if text, ok := strings.CutPrefix(comment, name+" is "); ok {
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return comment
}

// anchor is that of a heading, as GitHub makes it.
func anchor(heading string) string {
	return strings.ToLower(strings.NewReplacer(".", "", "[", "", "]", "").Replace(heading))
}

// cell is a text for a table's cell.
func cell(text string) string {
	var paragraphs []string
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		paragraphs = append(paragraphs, escaped(oneLine(paragraph)))
	}
	return strings.ReplaceAll(strings.Join(paragraphs, "<br>"), "|", `\|`)
}

func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", `\*`).Replace(text)
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
