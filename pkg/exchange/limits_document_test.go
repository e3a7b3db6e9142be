package exchange

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/test/generated"
)

//go:generate go test -count=1 -run ^TestGeneratedLimitsDocument$ . -update

func TestGeneratedLimitsDocument(t *testing.T) {
	generated.Part(t, "../../docs/limits.md", "pkg/exchange/limits.go", limitsTable()+limitsText(t))
}

func limitsTable() string {
	var b strings.Builder
	b.WriteString("\n| name | bounds | default | smallest | `all` |\n|---|---|---|---|---|\n")
	for _, l := range limits {
		all := ""
		if l.load {
			all = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", l.name, l.help, l.display(l.fallback), l.display(l.least), all)
	}
	return b.String() + "\n"
}

// display writes a value as people read it; Set takes it too, without spaces.
func (l limit) display(v int64) string {
	switch {
	case v < 0:
		return "unlimited"
	case l.unit == duration:
		return time.Duration(v).String()
	case l.unit == bytes && v >= 1<<20 && v%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", v>>20)
	case l.unit == bytes && v >= 1<<10 && v%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", v>>10)
	default:
		return fmt.Sprint(v)
	}
}

// limitsText lists what the comments on the fields say.
func limitsText(t *testing.T) string {
	comments := make(map[string]string)
	file, err := parser.ParseFile(token.NewFileSet(), "limits.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Limits" {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			comments[field.Names[0].Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
		}
		return false
	})
	var b strings.Builder
	for _, l := range limits {
		field := strings.ReplaceAll(l.name, "-", "")
		found := false
		for name, comment := range comments {
			if strings.EqualFold(name, field) {
				fmt.Fprintf(&b, "- **`%s`** (`Limits.%s`) %s\n", l.name, name, strings.TrimPrefix(comment, name+" "))
				found = true
			}
		}
		if !found {
			t.Errorf("no field of Limits is named like the limit %s", l.name)
		}
	}
	return b.String() + "\n"
}
