package main

import (
	"os/exec"
	"syscall"
	"testing"
)

// TestHangupIsNoEnd sends a seed without a terminal what has other servers read their
// files again. A seed that has read its files already goes on, and drains when told to.
func TestHangupIsNoEnd(t *testing.T) {
	p := startProcess(t, func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} })
	for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		if err := p.Process.Signal(signal); err != nil {
			t.Fatalf("%v: %v", signal, err)
		}
	}
	if err := p.Wait(); err != nil {
		t.Errorf("seed: %v; its log:\n%s", err, p.logs.b.String())
	}
}
