package target

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Split gives one core to servers and the others to this process.
type Split struct {
	all, server, rest unix.CPUSet
	cores             int
}

// NewSplit returns nil where there is only one core to share.
func NewSplit() (*Split, error) {
	s := &Split{}
	if err := unix.SchedGetaffinity(0, &s.all); err != nil {
		return nil, fmt.Errorf("get processor affinity: %w", err)
	}
	s.cores = s.all.Count()
	if s.cores < 2 {
		return nil, nil
	}
	s.rest = s.all
	for cpu := 0; s.server.Count() == 0; cpu++ {
		if s.all.IsSet(cpu) {
			s.server.Set(cpu)
			s.rest.Clear(cpu)
		}
	}
	return s, nil
}

// Aside runs f while this process keeps off the servers' core.
func (s *Split) Aside(f func() error) error {
	if s == nil {
		return f()
	}
	if err := moveProcess(&s.rest, s.cores-1); err != nil {
		return err
	}
	err := f()
	if back := moveProcess(&s.all, s.cores); err == nil {
		err = back
	}
	return err
}

// moveProcess moves the threads that there are; later ones are started by one of them, and inherit.
func moveProcess(to *unix.CPUSet, cores int) error {
	runtime.GOMAXPROCS(cores)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return fmt.Errorf("list threads: %w", err)
		}
		// A thread that ended since it was listed needs no move.
		if err := unix.SchedSetaffinity(id, to); err != nil && err != unix.ESRCH {
			return fmt.Errorf("set processor affinity: %w", err)
		}
	}
	return nil
}

// start runs f, which starts a server, on a thread that is on the servers' core: the server inherits that, and a Go
// server sees one core.
func (s *Split) start(f func() error) error {
	if s == nil {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("get processor affinity: %w", err)
	}
	if err := unix.SchedSetaffinity(0, &s.server); err != nil {
		return fmt.Errorf("set processor affinity: %w", err)
	}
	err := f()
	if back := unix.SchedSetaffinity(0, &before); err == nil {
		err = back
	}
	return err
}
