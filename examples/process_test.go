package examples

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// testTime bounds everything that one test does.
const testTime = 90 * time.Second

// process is a program that a test runs. It ends with the test, at the latest.
type process struct {
	name  string
	stdin io.WriteCloser
	lines chan string // of both of its outputs; closed at its end
	said  []string
	ended chan error
}

func start(t *testing.T, name, program string, args ...string) *process {
	t.Helper()
	return startCommand(t, name, func(ctx context.Context) *exec.Cmd {
		return exec.CommandContext(ctx, program, args...)
	})
}

func startCommand(t *testing.T, name string, command func(context.Context) *exec.Cmd) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTime)
	cmd := command(ctx)
	output, input := io.Pipe()
	cmd.Stdout, cmd.Stderr = input, input
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	p := &process{name: name, stdin: stdin, lines: make(chan string, 1000), ended: make(chan error, 1)}
	go func() {
		p.ended <- cmd.Wait()
		input.Close()
	}()
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		defer close(p.lines)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		cancel()
		for line := range p.lines {
			p.said = append(p.said, line)
		}
		<-reading
		if t.Failed() {
			t.Logf("%s said:\n%s", p.name, strings.Join(p.said, "\n"))
		}
	})
	return p
}

// waitFor waits for a line, unless it was said already, and returns what the
// expression's group matches.
func (p *process) waitFor(t *testing.T, expression string) string {
	t.Helper()
	pattern := regexp.MustCompile(expression)
	match := func(line string) []string { return pattern.FindStringSubmatch(line) }
	if i := slices.IndexFunc(p.said, func(line string) bool { return match(line) != nil }); i >= 0 {
		return last(match(p.said[i]))
	}
	for line := range p.lines {
		p.said = append(p.said, line)
		if m := match(line); m != nil {
			return last(m)
		}
	}
	t.Fatalf("%s ended and did not say %q", p.name, expression)
	return ""
}

func last(m []string) string { return m[len(m)-1] }

// say writes a line to the program's input.
func (p *process) say(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(p.stdin, line); err != nil {
		t.Fatalf("%s does not listen: %v", p.name, err)
	}
}

// end waits until the program ended by itself and without an error.
func (p *process) end(t *testing.T) {
	t.Helper()
	p.stdin.Close()
	if err := <-p.ended; err != nil {
		t.Errorf("%s: %v", p.name, err)
	}
}
