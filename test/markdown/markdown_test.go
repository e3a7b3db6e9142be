package markdown

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const document = "# Title\n\n" +
	"## First\n\n```sh\nls\n```\n\n```text\na `b`\n```\n\n" +
	"## Second\n\n```js\n// app.js\nrun()\n```\n\n```html\n<!-- index.html -->\n<p>\n```\n\n```\n```\n\n```go\n// no file\n```"

func TestBlocks(t *testing.T) {
	want := []Block{
		{"sh", "ls\n"}, {"text", "a `b`\n"},
		{"js", "// app.js\nrun()\n"}, {"html", "<!-- index.html -->\n<p>\n"}, {"", ""}, {"go", "// no file\n"},
	}
	if got := Blocks(document); !slices.Equal(got, want) {
		t.Errorf("blocks are %q, want %q", got, want)
	}
	if got := Blocks(Section(document, "First")); !slices.Equal(got, want[:2]) {
		t.Errorf("blocks of the first section are %q", got)
	}
	if got := Blocks(Section(document, "Second")); !slices.Equal(got, want[2:]) {
		t.Errorf("blocks of the last section are %q", got)
	}
	if got := Section(document, "Third"); got != "" {
		t.Errorf("a section that is not there is %q", got)
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := Files(t, path, path), map[string]string{"app.js": "run()\n", "index.html": "<p>\n"}; !maps.Equal(got, want) {
		t.Errorf("files are %q, want %q", got, want)
	}
}
