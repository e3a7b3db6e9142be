package target

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBehind(t *testing.T) {
	before, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if before.Policy != unix.SCHED_NORMAL {
		t.Skipf("the tests run with scheduling policy %d, not with the usual one", before.Policy)
	}
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := Behind(cmd.Start); err != nil {
		t.Fatal(err)
	}
	child, err := unix.SchedGetAttr(cmd.Process.Pid, 0)
	if err != nil {
		t.Error(err)
	} else if child.Policy != unix.SCHED_IDLE {
		t.Errorf("policy of what was started is %d, want SCHED_IDLE", child.Policy)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	after, err := unix.SchedGetAttr(0, 0)
	if err != nil || after.Policy != before.Policy {
		t.Errorf("policy of this thread is %+v afterwards, %v", after, err)
	}
}
