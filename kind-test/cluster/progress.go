package cluster

import (
	"fmt"
	"io"
	"time"
)

// Progress tells what is being done, and when since its beginning.
type Progress struct {
	out   io.Writer
	start time.Time
}

// NewProgress begins now.
func NewProgress(out io.Writer) *Progress { return &Progress{out, time.Now()} }

// Step is about what comes now.
func (p *Progress) Step(format string, args ...any) {
	fmt.Fprintf(p.out, "[%4d s] %s\n", int(time.Since(p.start).Seconds()), fmt.Sprintf(format, args...))
}
