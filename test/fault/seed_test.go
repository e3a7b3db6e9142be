//go:build interop

package fault

import (
	"bufio"
	"bytes"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// seed is a process.
type seed struct {
	cmd     *exec.Cmd
	log     bytes.Buffer // once it has ended
	address string       // host and port
	read    chan struct{}
}

const networkID = "fault"

// common are the flags of all seeds.
var common = []string{"--network-id", networkID, "--webrtc-listen", "off", "--admin-listen", "off"}

var listensAt = regexp.MustCompile(`wss?://(127\.0\.0\.1:[0-9]+)`)

// start starts a seed. It is nil if the seed ended before it took connections.
func start(t *testing.T, cmd *exec.Cmd) *seed {
	t.Helper()
	s := &seed{cmd: cmd, read: make(chan struct{})}
	cmd.Stderr = &s.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for ready := false; !ready && lines.Scan(); ready = strings.Contains(lines.Text(), "Ctrl-C") {
		if found := listensAt.FindStringSubmatch(lines.Text()); found != nil {
			s.address = found[1]
		}
	}
	go func() {
		defer close(s.read)
		io.Copy(io.Discard, out)
	}()
	if s.address == "" {
		<-s.read
		t.Logf("the seed ended: %v\n%s", cmd.Wait(), s.log.String())
		return nil
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the seed at %s logged:\n%s", s.address, s.log.String())
		}
	})
	return s
}

// kill is kill -9. It does nothing to a seed that has ended.
func (s *seed) kill() {
	if s.cmd.ProcessState == nil {
		s.cmd.Process.Kill()
		s.wait()
	}
}

// wait waits for the end of the process.
func (s *seed) wait() error {
	<-s.read
	return s.cmd.Wait()
}
