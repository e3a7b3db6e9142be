//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/test/markdown"
)

// readmeTime bounds the longest block of the README, which builds images.
const readmeTime = 10 * time.Minute

// The commands of the README's section on Kubernetes work, in their order, and print what
// it says they print.
func TestReadme(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(kind.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := markdown.Blocks(markdown.Section(string(content), "Kubernetes"))
	if len(blocks) < 5 {
		t.Fatalf("the README's section has %d blocks", len(blocks))
	}
	s := newNamespace(t)
	kubeconfig := s.ownKubeconfig()
	t.Cleanup(func() { // if a command in the middle failed
		ctx, cancel := context.WithTimeout(context.Background(), afterTime)
		defer cancel()
		kind.Output(ctx, "helm", "uninstall", "seeds", "--namespace", s.namespace, "--ignore-not-found")
	})
	installed := &network{space: s, name: "seeds", id: "my-network"}
	printed := ""
	for _, block := range blocks {
		switch block.Language {
		case "sh":
			if strings.Contains(block.Text, "seed check") {
				installed.documentServed() // a person takes the seconds that it takes to reach the seeds
			}
			printed = s.sh(kubeconfig, block.Text)
			t.Logf("%s\n%s", block.Text, printed)
		case "text":
			if !sampleOf(block.Text).MatchString(printed) {
				t.Errorf("the README shows\n%s\nand it is\n%s", block.Text, printed)
			}
		default:
			t.Errorf("the section has a block in %q, which this test does not know", block.Language)
		}
	}
}

// sh runs commands as a person does who has chosen the namespace.
func (s *space) sh(kubeconfig, commands string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), readmeTime)
	defer cancel()
	output, err := kind.Output(ctx, "env", "KUBECONFIG="+kubeconfig, "bash", "-euo", "pipefail", "-c", commands)
	if err != nil {
		s.t.Fatal(err)
	}
	return output
}

// ownKubeconfig has the namespace for its default.
func (s *space) ownKubeconfig() string {
	s.t.Helper()
	content, err := os.ReadFile(kind.Kubeconfig())
	if err != nil {
		s.t.Fatal(err)
	}
	path := s.file("kubeconfig", content)
	s.run("kubectl", "--kubeconfig", path, "config", "set-context", "--current", "--namespace", s.namespace)
	return path
}

// sampleOf matches the end of an output that is like a sample: words that have digits, such as addresses
// and ages, are of that time, and the rest is the same.
func sampleOf(sample string) *regexp.Regexp {
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(sample)) {
		var words []string
		for _, word := range strings.Fields(line) {
			if strings.ContainsAny(word, "0123456789") {
				scheme, _, found := strings.Cut(word, "://")
				word = `\S*\d\S*`
				if found {
					word = regexp.QuoteMeta(scheme+"://") + word
				}
			} else {
				word = regexp.QuoteMeta(word)
			}
			words = append(words, word)
		}
		lines = append(lines, strings.Join(words, ` +`))
	}
	return regexp.MustCompile(strings.Join(lines, `\s*\n`) + `\s*$`)
}
