package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/peerexchange/peerexchange/kind-test/cluster"
)

const (
	testTime   = 30 * time.Minute // for all tests
	dumpTime   = 2 * time.Minute
	deleteTime = 2 * time.Minute
)

// run makes a cluster, tests on it, and removes it.
func run(ctx context.Context, progress *cluster.Progress) (err error) {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := prepareDocker(ctx); err != nil {
		return err
	}
	config := cluster.Config{
		Root:      root,
		Name:      cmp.Or(os.Getenv("CLUSTER"), newName()),
		NodeImage: os.Getenv("KIND_NODE_IMAGE"),
		File:      cmp.Or(os.Getenv("KIND_CONFIG"), filepath.Join(root, "kind-test", "cluster.yaml")),
	}
	c, created, err := cluster.Create(ctx, config, progress)
	if created {
		defer func() { err = errors.Join(err, remove(ctx, c, progress)) }()
	}
	if err == nil {
		err = test(ctx, c, progress)
	}
	if err != nil && created {
		dump(ctx, c, progress)
	}
	return err
}

// prepareDocker sees that there is an engine, and has it build in a way that it can.
func prepareDocker(ctx context.Context) error {
	if output, err := exec.CommandContext(ctx, "docker", "version").CombinedOutput(); err != nil {
		return fmt.Errorf("this needs Docker, and docker version says: %w\n%s", err, output)
	}
	if exec.CommandContext(ctx, "docker", "buildx", "version").Run() != nil {
		return os.Setenv("DOCKER_BUILDKIT", "0") // the plugin is not installed
	}
	return nil
}

// newName is a name that no other run has.
func newName() string {
	var random [3]byte
	rand.Read(random[:]) // never fails
	return "peers-" + hex.EncodeToString(random[:])
}

func test(ctx context.Context, c *cluster.Cluster, progress *cluster.Progress) error {
	progress.Step("run the tests")
	args := []string{"test", "-tags", "e2e", "-count=1", "-v", "-parallel", "8", "-timeout", testTime.String(), "./kind-test/e2e"}
	if run := os.Getenv("RUN"); run != "" {
		args = append(args, "-run", run)
	}
	cmd := c.Command(ctx, "go", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what tests that hung have started; mostly nothing is left
	}
	if err != nil {
		return fmt.Errorf("tests: %w", err)
	}
	progress.Step("all tests passed")
	return nil
}

// dump writes down what goes on in the whole cluster; tests that failed have written what
// was going on in theirs.
func dump(ctx context.Context, c *cluster.Cluster, progress *cluster.Progress) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dumpTime)
	defer cancel()
	progress.Step("write down what goes on in the cluster")
	if dir, err := c.Dump(ctx, "cluster", ""); err != nil {
		progress.Step("that failed: %v", err)
	} else {
		progress.Step("see %s", filepath.Dir(dir))
	}
}

func remove(ctx context.Context, c *cluster.Cluster, progress *cluster.Progress) error {
	if os.Getenv("KEEP") != "" {
		progress.Step("the cluster stays:\n  export KUBECONFIG=%s\n  CLUSTER=%s make kind-test   # tests on it again\n  .cache/kind-test/bin/kind delete cluster --name %s",
			c.Kubeconfig(), c.Name, c.Name)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTime)
	defer cancel()
	progress.Step("remove the cluster")
	return c.Delete(ctx)
}
