package clients

import (
	"strings"
	"sync"
)

// Tail keeps the end of what is written to it.
type Tail struct {
	mu sync.Mutex
	// Guarded by mu.
	text []byte
}

const tailBytes = 16 << 10

// Write implements io.Writer. It never fails.
func (w *Tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if extra := len(w.text) - tailBytes; extra > 0 {
		w.text = append(w.text[:0], w.text[extra:]...)
	}
	return len(p), nil
}

// String is what was kept, without spaces around it.
func (w *Tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.text))
}
