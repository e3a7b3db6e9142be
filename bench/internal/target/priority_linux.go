package target

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Behind runs f, which starts a process, on a thread whose priority the process inherits: it only gets processor time
// that no other wants (sched(7), SCHED_IDLE). Below a real-time priority, which a benchmark on a busy machine may have
// been given, it gets the least of these, or else the rest of the machine would come before it.
func Behind(f func() error) error {
	failed := make(chan error)
	go func() {
		// The thread ends with this goroutine, which does not unlock it: who may lower a priority may not always raise it.
		runtime.LockOSThread()
		err := lowerPriority()
		if err == nil {
			err = f()
		}
		failed <- err
	}()
	return <-failed
}

func lowerPriority() error {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return fmt.Errorf("get priority: %w", err)
	}
	switch attr.Policy {
	case unix.SCHED_RR, unix.SCHED_FIFO:
		attr.Priority = 1
	default:
		*attr = unix.SchedAttr{Size: attr.Size, Policy: unix.SCHED_IDLE}
	}
	if err := unix.SchedSetAttr(0, attr, 0); err != nil {
		return fmt.Errorf("lower priority: %w", err)
	}
	return nil
}
