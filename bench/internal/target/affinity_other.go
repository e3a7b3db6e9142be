//go:build !linux

package target

// Split gives one core to servers and the others to this process. Only Linux can; the benchmark needs its /proc anyway.
type Split struct{}

// NewSplit returns nil.
func NewSplit() (*Split, error) { return nil, nil }

// Aside runs f.
func (*Split) Aside(f func() error) error { return f() }

func (*Split) start(f func() error) error { return f() }
