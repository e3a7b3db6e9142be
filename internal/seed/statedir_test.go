package seed

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDefaultStateDir(t *testing.T) {
	t.Setenv("HOME", "/home/someone")
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("STATE_DIRECTORY", "/var/lib/private/seed:/other")
	if got := DefaultStateDir(); got != "/var/lib/private/seed" {
		t.Errorf("with systemd: %s", got)
	}
	t.Setenv("STATE_DIRECTORY", "")
	if os.Geteuid() == 0 {
		if got := DefaultStateDir(); got != "/var/lib/peerexchange" {
			t.Errorf("as root: %s", got)
		}
		return
	}
	if got := DefaultStateDir(); got != "/home/someone/.local/state/peerexchange" {
		t.Errorf("at home: %s", got)
	}
	t.Setenv("XDG_STATE_HOME", "/elsewhere")
	if got := DefaultStateDir(); got != "/elsewhere/peerexchange" {
		t.Errorf("with XDG_STATE_HOME: %s", got)
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "")
	if got := DefaultStateDir(); got != "" {
		t.Errorf("without a home: %s", got)
	}
}

func TestFilesAreWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := createFile(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := createFile(path, []byte("two")); err == nil {
		t.Error("a file that was there was created")
	}
	if err := replaceFile(path, []byte("three"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "three" {
		t.Errorf("file has %q", got)
	}
	// Where a file cannot be replaced, nothing is left behind.
	full := filepath.Join(dir, "directory")
	if err := os.MkdirAll(filepath.Join(full, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(full, []byte("x"), 0o600); err == nil {
		t.Error("a directory was replaced")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}
