package helm

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/peerexchange/peerexchange/test/schema"
)

// The manifests for users are what an API server takes.
func TestExamples(t *testing.T) {
	s, err := schema.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("../../examples/kubernetes/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		networks := 0
		for document := range bytes.SplitSeq(content, []byte("\n---\n")) {
			if !bytes.Contains(document, []byte("kind: PeerNetwork")) {
				continue
			}
			networks++
			if _, err := s.Read(t.Context(), string(document)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		if networks == 0 {
			t.Errorf("%s has no PeerNetwork", path)
		}
	}
}
