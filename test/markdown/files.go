package markdown

import (
	"os"
	"regexp"
	"testing"
)

// fileName is the first line of a block that is a file.
var fileName = regexp.MustCompile(`^(?://|<!--) ([a-z0-9-]+\.(?:go|js|html))(?: -->)?\n`)

// Files are the code blocks that begin with a file name in a comment, by that name and
// without that line. A file that is in several documents is the same in all.
func Files(t *testing.T, documents ...string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	for _, document := range documents {
		content, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range Blocks(string(content)) {
			match := fileName.FindStringSubmatch(b.Text)
			if match == nil {
				continue
			}
			code := b.Text[len(match[0]):]
			if other, ok := files[match[1]]; ok && other != code {
				t.Errorf("%s has another %s than a block before it", document, match[1])
			}
			files[match[1]] = code
		}
	}
	return files
}
