//go:build !linux

package target

// Behind runs f. Only Linux can do more; the benchmark needs its /proc anyway.
func Behind(f func() error) error { return f() }
