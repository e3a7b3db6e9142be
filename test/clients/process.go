package clients

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
)

// StartProcess starts an npm client in a Node process. The process ends with the
// test, at the latest. Options are those of [Remote].
func (l *Lab) StartProcess(t *testing.T, gen Generation, name string, options map[string]any) *Remote {
	t.Helper()
	r := l.newRemote(t, name)
	r.process = true
	r.guarded = options["guard"] == true

	ctx, cancel := context.WithCancel(context.Background())
	cmd := l.Node(ctx, l.node, nil, "driver.js", string(gen))
	var stderr Tail
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

	if err := r.start(Context(t), l.networkOf(t), options); err != nil {
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
