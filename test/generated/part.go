package generated

import (
	"os"
	"strings"
	"testing"
)

// end is the line after what is made.
const end = "<!-- End of what is made. -->\n"

// Part holds the part of a document that is made from a source, such as
// "internal/seed/metrics.go", to what it is to have. It stands between a line that names
// the source and one that ends it; the rest of the document is written by hand.
func Part(t *testing.T, path, source, content string) {
	t.Helper()
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin := "<!-- Made by `make generate` from " + source + ". -->\n"
	before, rest, begins := strings.Cut(string(document), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no place for what is made from %s", path, source)
	}
	File(t, path, []byte(before+begin+content+end+after))
}
