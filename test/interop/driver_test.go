//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// startNode starts an npm client in a Node process. The process ends with the
// test, at the latest.
func startNode(t *testing.T, gen generation, name string, options map[string]any) *remote {
	t.Helper()
	r := newRemote(t, name)
	r.process = true
	r.guarded = options["guard"] == true

	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", "driver.js", string(gen))
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+suite.pki.caFile)
	var stderr tail
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatalf("start node: %v", err)
	}

	var sending sync.Mutex
	r.send = func(_ context.Context, command []byte) error {
		sending.Lock()
		defer sending.Unlock()
		_, err := stdin.Write(append(command, '\n'))
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewReader(stdout)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				break
			}
			r.handle(bytes.TrimSpace(line))
		}
		// What is left after the last line is nothing; Wait wants it read.
		io.Copy(io.Discard, lines)
		r.fail(fmt.Errorf("process ended: %w", whyEnded(cmd.Wait())))
	}()
	t.Cleanup(func() {
		cancel() // kills the process
		<-done
		r.report(t, stderr.String())
	})

	if err := r.start(testContext(t), networkOf(t), options); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return r
}

// whyEnded gives a process that ended well an error of its own: it should not have ended.
func whyEnded(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 16 << 10

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if extra := len(w.text) - tailBytes; extra > 0 {
		w.text = append(w.text[:0], w.text[extra:]...)
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.text))
}
