package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lastWords is what a program that is ended gets to end by itself.
const lastWords = 10 * time.Second

// Command is a program in the folder of the repository and in the cluster's Environment.
// When ctx ends so does the program, with all that it has started.
func (c *Cluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.find(name), args...)
	cmd.Dir, cmd.Env = c.root, c.Environment()
	// A group of its own: an interrupt at the terminal is for us alone, who pass it on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = lastWords
	return cmd
}

// find is where a program is that the cluster has itself.
func (c *Cluster) find(name string) string {
	for _, dir := range []string{c.bin(), filepath.Join(c.root, cache, "bin")} {
		if path := filepath.Join(dir, name); isFile(path) {
			return path
		}
	}
	return name
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Output runs a program and returns what it prints on its output. The error has
// everything that it printed.
func (c *Cluster) Output(ctx context.Context, name string, args ...string) (string, error) {
	return c.run(c.Command(ctx, name, args...))
}

func (c *Cluster) run(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(cmd.Path), strings.Join(cmd.Args[1:], " "), err, stdout.Bytes(), bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}

// Kubectl runs kubectl.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	return c.Output(ctx, "kubectl", args...)
}

// Apply applies manifests in a namespace.
func (c *Cluster) Apply(ctx context.Context, namespace, manifests string) error {
	cmd := c.Command(ctx, "kubectl", "--namespace", namespace, "apply", "--server-side", "-f", "-")
	cmd.Stdin = strings.NewReader(manifests)
	_, err := c.run(cmd)
	return err
}
