package v1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// comments are those of the package's source, without markers.
type comments struct {
	types  map[string]string   // of types, by name
	groups map[string]string   // of blocks of constants, by their first constant's name
	consts []commentedConstant // of constants of text, in the order of the source
}

type commentedConstant struct{ name, value, comment string }

func readComments(t *testing.T) comments {
	t.Helper()
	isSource := func(file fs.FileInfo) bool { return !strings.HasSuffix(file.Name(), "_test.go") }
	//nolint:staticcheck // one folder, without build tags, is all there is to read
	packages, err := parser.ParseDir(token.NewFileSet(), ".", isSource, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	read := comments{types: make(map[string]string), groups: make(map[string]string)}
	for _, file := range packages["v1"].Files {
		for _, declaration := range file.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok {
				continue
			}
			for i, spec := range group.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					read.types[spec.Name.Name] = withoutMarkers(group.Doc.Text())
				case *ast.ValueSpec:
					if i == 0 {
						read.groups[spec.Names[0].Name] = group.Doc.Text()
					}
					if literal, ok := firstValue(spec).(*ast.BasicLit); ok && literal.Kind == token.STRING {
						value, err := strconv.Unquote(literal.Value)
						if err != nil {
							t.Fatal(err)
						}
						read.consts = append(read.consts, commentedConstant{spec.Names[0].Name, value, spec.Doc.Text()})
					}
				}
			}
		}
	}
	return read
}

func firstValue(spec *ast.ValueSpec) ast.Expr {
	if len(spec.Values) == 0 {
		return nil
	}
	return spec.Values[0]
}

func withoutMarkers(text string) string {
	text, _, _ = strings.Cut(text, "\n+")
	return text
}

// condition is what the comment of a condition's type says.
type condition struct {
	name, tells string
	reasons     []conditionReason
}

type conditionReason struct{ status, name, meaning string }

var reasonLine = regexp.MustCompile(`^\s+- ([A-Za-z, ]+?)(?:: (.*))?$`)

// conditions are those of conditions.go. A reason is in the comment as a line of
// its own, indented, under the status that it is for.
func (c comments) conditions() []condition {
	var all []condition
	for _, constant := range c.consts {
		if !strings.HasPrefix(constant.name, "Condition") {
			continue
		}
		text, rest, _ := strings.Cut(constant.comment, "\n\n")
		found := condition{name: constant.value, tells: strings.TrimPrefix(oneLine(text), constant.name+" ")}
		status := ""
		for line := range strings.Lines(rest) {
			line = strings.TrimRight(line, "\n")
			switch reason := reasonLine.FindStringSubmatch(line); {
			case reason != nil:
				for name := range strings.SplitSeq(reason[1], ", ") {
					found.reasons = append(found.reasons, conditionReason{status, name, reason[2]})
				}
			case strings.HasSuffix(line, ":") && !strings.HasPrefix(line, " "):
				status = strings.TrimSuffix(line, ":")
			case strings.TrimSpace(line) != "":
				last := &found.reasons[len(found.reasons)-1]
				last.meaning += " " + strings.TrimSpace(line)
			}
		}
		all = append(all, found)
	}
	return all
}

// seedReasons are the constants of SeedReason, with what their comments say.
func (c comments) seedReasons() []conditionReason {
	var all []conditionReason
	for _, constant := range c.consts {
		if meaning, ok := strings.CutPrefix(oneLine(constant.comment), constant.name+": "); ok && strings.HasPrefix(constant.name, "Seed") {
			all = append(all, conditionReason{name: constant.value, meaning: meaning})
		}
	}
	return all
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Every reason that there is a constant for is documented under a condition, and
// the other way round.
func TestReasonsAreDocumented(t *testing.T) {
	read := readComments(t)
	documented := make(map[string]bool)
	for _, condition := range read.conditions() {
		statuses := make(map[string]bool)
		for _, reason := range condition.reasons {
			documented[reason.name] = true
			statuses[reason.status] = true
		}
		if !statuses["True"] || !statuses["False"] || !statuses["Unknown"] || len(statuses) != 3 {
			t.Errorf("%s has reasons for %v", condition.name, statuses)
		}
	}
	for _, constant := range read.consts {
		if strings.HasPrefix(constant.name, "Reason") {
			if !documented[constant.value] {
				t.Errorf("%s is documented under no condition", constant.name)
			}
			delete(documented, constant.value)
		}
	}
	if len(documented) > 0 {
		t.Errorf("there are no constants for %v", documented)
	}
	if len(read.seedReasons()) < 10 {
		t.Errorf("of the reasons of seeds only %v are documented", read.seedReasons())
	}
}
