package seed

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// write writes a file in one of the ways that there are.
func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// swap makes a file appear at once, in the place of another.
func swap(t testing.TB, path, content string) {
	t.Helper()
	if err := replaceFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mountSecret lays out files as Kubernetes does: each is a symbolic link through
// ..data, which is a link to a directory of this version.
func mountSecret(t testing.TB, dir, version string, files map[string]string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		write(t, filepath.Join(dir, version, name), content)
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
	}
	next := filepath.Join(dir, "..data_tmp")
	if err := errors.Join(os.Symlink(version, next), os.Rename(next, filepath.Join(dir, "..data"))); err != nil {
		t.Fatal(err)
	}
}

// watched is a watch of two files that takes what they hold, unless it is "bad".
type watched struct {
	*watch
	log   bytes.Buffer
	takes []string
}

func startWatch(t *testing.T, paths ...string) *watched {
	t.Helper()
	w := new(watched)
	var err error
	w.watch, err = newWatch("test", paths, func(contents [][]byte) error {
		text := string(bytes.Join(contents, []byte("+")))
		if strings.Contains(text, "bad") {
			return errors.New("it is " + text)
		}
		w.takes = append(w.takes, text)
		return nil
	}, slog.New(slog.NewTextHandler(&w.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	w.settle = 0
	return w
}

// want checks what was taken over after the first time.
func (w *watched) want(t *testing.T, takes ...string) {
	t.Helper()
	if got := strings.Join(w.takes[1:], ", "); got != strings.Join(takes, ", ") {
		t.Errorf("took over %q, want %q", got, takes)
	}
}

func (w *watched) warnings() int { return strings.Count(w.log.String(), "level=WARN") }

func TestWatchSeesEachWayToChangeAFile(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string, version int, a, b string)
	}{
		{"written over", func(t *testing.T, dir string, _ int, a, b string) {
			write(t, filepath.Join(dir, "a"), a)
			write(t, filepath.Join(dir, "b"), b)
		}},
		{"renamed", func(t *testing.T, dir string, _ int, a, b string) {
			swap(t, filepath.Join(dir, "a"), a)
			swap(t, filepath.Join(dir, "b"), b)
		}},
		{"mounted by Kubernetes", func(t *testing.T, dir string, version int, a, b string) {
			mountSecret(t, dir, "..version"+string(rune('0'+version)), map[string]string{"a": a, "b": b})
		}},
		{"links into another directory", func(t *testing.T, dir string, version int, a, b string) {
			archive := t.TempDir()
			for name, content := range map[string]string{"a": a, "b": b} {
				os.Remove(filepath.Join(dir, name))
				write(t, filepath.Join(archive, name), content)
				if err := os.Symlink(filepath.Join(archive, name), filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}},
		{"of the same age and size", func(t *testing.T, dir string, _ int, a, b string) {
			for name, content := range map[string]string{"a": a, "b": b} {
				path := filepath.Join(dir, name)
				write(t, path, content)
				if err := os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
					t.Fatal(err)
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.change(t, dir, 1, "a1", "b1")
			w := startWatch(t, filepath.Join(dir, "a"), filepath.Join(dir, "b"))
			w.check()
			w.want(t)
			c.change(t, dir, 2, "a2", "b2")
			w.check()
			w.check()
			w.want(t, "a2+b2")
			c.change(t, dir, 3, "a2", "b3")
			w.check()
			w.want(t, "a2+b2", "a2+b3")
			c.change(t, dir, 4, "a1", "b1")
			w.check()
			w.want(t, "a2+b2", "a2+b3", "a1+b1")
			if n := w.warnings(); n != 0 {
				t.Errorf("%d warnings:\n%s", n, w.log.String())
			}
		})
	}
}

func TestWatchTellsContentsApart(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, "12")
	write(t, b, "3")
	w := startWatch(t, a, b)
	write(t, a, "1")
	write(t, b, "23")
	w.check()
	w.want(t, "1+23")
}

func TestWatchKeepsWhatItHas(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, path string)
		say    string
	}{
		{"content of no use", func(t *testing.T, path string) { swap(t, path, "bad") }, "it is bad"},
		{"no file", func(t *testing.T, path string) { os.Remove(path) }, "no such file"},
		{"a link to nowhere", func(t *testing.T, path string) {
			os.Remove(path)
			os.Symlink("nowhere", path)
		}, "no such file"},
		{"a directory", func(t *testing.T, path string) {
			os.Remove(path)
			os.Mkdir(path, 0o700)
		}, "no regular file"},
		{"a pipe that nobody writes to", func(t *testing.T, path string) {
			os.Remove(path)
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "no regular file"},
		{"a file without an end", func(t *testing.T, path string) { swap(t, path, strings.Repeat("x", maxWatchedBytes+1)) }, "more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			write(t, path, "good")
			w := startWatch(t, path)
			c.change(t, path)
			w.check()
			if n := w.warnings(); n != 0 {
				t.Errorf("complains at once: another file may be about to follow:\n%s", w.log.String())
			}
			for range 3 {
				w.check()
			}
			if n := w.warnings(); n != 1 || !strings.Contains(w.log.String(), c.say) {
				t.Errorf("%d warnings, want one that says %q:\n%s", n, c.say, w.log.String())
			}
			w.want(t)

			os.Remove(path)
			write(t, path, "better")
			w.check()
			w.want(t, "better")
			c.change(t, path)
			w.check()
			w.check()
			if n := w.warnings(); n != 2 {
				t.Errorf("%d warnings after it happened again, want one more", n)
			}
			os.Remove(path)
			write(t, path, "better")
			w.check()
			w.want(t, "better")
		})
	}
}

func TestWatchBeginsWithAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := newWatch("test", []string{filepath.Join(dir, "none")}, func([][]byte) error { return nil }, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	path := filepath.Join(dir, "file")
	write(t, path, "")
	useless := errors.New("useless")
	if _, err := newWatch("test", []string{path}, func([][]byte) error { return useless }, nil); err != useless {
		t.Errorf("with a useless file: %v", err)
	}
}

func TestWatchRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		write(t, path, "one")
		w := startWatch(t, path)
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			w.run(done)
			close(ended)
		}()
		time.Sleep(watchInterval / 2)
		swap(t, path, "two")
		time.Sleep(watchInterval)
		swap(t, path, "three")
		time.Sleep(watchInterval / 4)
		close(done)
		<-ended
		w.want(t, "two")
	})
}

// TestWatchLeavesWhatIsBeingWritten looks at a file of which half is there. What makes
// sense by itself, such as the first of two tokens, is not to count.
func TestWatchLeavesWhatIsBeingWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		write(t, path, "one")
		w := startWatch(t, path)
		w.settle = settleTime
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			w.run(done)
			close(ended)
		}()
		time.Sleep(watchInterval - settleTime/2)
		write(t, path, "tw")
		time.Sleep(settleTime)
		write(t, path, "two")
		time.Sleep(2 * watchInterval)
		close(done)
		<-ended
		w.want(t, "two")
	})
}
