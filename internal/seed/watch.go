package seed

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

const (
	// watchInterval is the interval of a watch.
	watchInterval = 2 * time.Second
	// settleTime is the settle of a watch: who writes a file in place may be in the middle
	// of it.
	settleTime = 100 * time.Millisecond
	// maxWatchedBytes bounds a file that is watched; a certificate's chain has a
	// few KiB.
	maxWatchedBytes = 1 << 20
)

// watch is a set of files that belong together, and are taken over anew when what
// they hold changes.
//
// They are read every few seconds rather than waited for: what counts is what is
// in them. It makes no difference whether they were written to, renamed, or are
// reached through a symbolic link that points elsewhere now, which is how
// Kubernetes swaps them all at once, and file systems that tell nobody of changes
// will do.
type watch struct {
	// Static after construction.
	what   string // for the log
	paths  []string
	take   func(contents [][]byte) error // refuses what is of no use
	logger *slog.Logger
	// interval is how often the files are looked at.
	interval time.Duration
	// settle is how long they are to stay as they are when they have changed.
	settle time.Duration

	// Owned by who calls check.
	taken     [sha256.Size]byte // of what was taken over last
	complaint string            // about what the files hold now
	told      bool              // the complaint is in the log
}

// newWatch takes the files over for the first time.
func newWatch(what string, paths []string, take func(contents [][]byte) error, logger *slog.Logger) (*watch, error) {
	w := &watch{what: what, paths: paths, take: take, logger: logger, interval: watchInterval, settle: settleTime}
	contents, err := readFiles(paths)
	if err != nil {
		return nil, err
	}
	if err := take(contents); err != nil {
		return nil, err
	}
	w.taken = digest(contents)
	return w, nil
}

// run looks at the files until done is closed.
func (w *watch) run(done <-chan struct{}) {
	again := time.NewTicker(w.interval)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			w.check()
		case <-done:
			return
		}
	}
}

// check takes the files over if they hold something new. What is of no use is
// tried again the next time, and logged once: the second time, since files that
// belong together are not replaced at the same moment.
func (w *watch) check() {
	err := w.update()
	switch {
	case err == nil:
		w.complaint, w.told = "", false
	case err.Error() != w.complaint:
		w.complaint, w.told = err.Error(), false
	case !w.told:
		w.told = true
		w.logger.Warn("changed files are of no use; going on with what they held before", "what", w.what, "err", err)
	}
}

func (w *watch) update() error {
	contents, err := readFiles(w.paths)
	if err != nil {
		return err
	}
	sum := digest(contents)
	if sum == w.taken {
		return nil
	}
	<-time.After(w.settle) // short enough to hold up no end
	later, err := readFiles(w.paths)
	if err != nil || digest(later) != sum {
		return err // until the next time
	}
	if err := w.take(contents); err != nil {
		return err
	}
	w.taken = sum
	w.logger.Info("changed files were taken over", "what", w.what)
	return nil
}

func readFiles(paths []string) ([][]byte, error) {
	var contents [][]byte
	for _, path := range paths {
		content, err := readWatched(path)
		if err != nil {
			return nil, err
		}
		contents = append(contents, content)
	}
	return contents, nil
}

// readWatched reads a file. Opening what is none may never return.
func readWatched(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: it is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxWatchedBytes+1))
	if err == nil && len(content) > maxWatchedBytes {
		err = fmt.Errorf("read %s: it has more than %d bytes", path, maxWatchedBytes)
	}
	return content, err
}

// digest tells contents apart.
func digest(contents [][]byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, content := range contents {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(content))))
		h.Write(content)
	}
	h.Sum(sum[:0])
	return sum
}
