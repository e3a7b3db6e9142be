package generated

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write what is made from the code, and golden files, instead of comparing them")

// File holds a file to all that it is to have, or writes it and the folder that it is in.
func File(t *testing.T, path string, content []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	has, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(has) != string(content) {
		t.Errorf("%s is not what is made now: run `make generate`, or for manifests `make chart UPDATE=1`, and look at the difference:\n%s",
			path, Difference(string(has), string(content)))
	}
}
