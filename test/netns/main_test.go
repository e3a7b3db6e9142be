//go:build interop

package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// role in the environment says what this program is: it starts itself again.
const (
	role     = "TEST_NETNS_ROLE"
	inside   = "inside" // the namespaces in which the tests run
	asPeer   = "peer"
	seedPath = "TEST_NETNS_SEED" // the seed's program
)

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(role) {
	case asPeer:
		err = runPeer()
	case inside:
		if err = prepare(); err == nil {
			goleak.VerifyTestMain(m) // exits
		}
	default:
		var code int
		if code, err = enter(); err == nil {
			os.Exit(code)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const needed = "these tests make network namespaces: run them as root, or where everybody may make user namespaces " +
	"(sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces); a container needs CAP_SYS_ADMIN and CAP_NET_ADMIN"

// enter builds the seed and runs this program in namespaces of its own.
func enter() (code int, err error) {
	for _, name := range []string{"ip", "nsenter"} {
		if _, err := exec.LookPath(name); err != nil {
			return 0, fmt.Errorf("%w; it is in Debian's packages iproute2 and util-linux: apt-get install iproute2 util-linux", err)
		}
	}
	dir, err := os.MkdirTemp("", "netns-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	seed := filepath.Join(dir, "seed")
	build := exec.Command("go", "build", "-o", seed, "../../cmd/seed")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return 0, fmt.Errorf("build cmd/seed: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), role+"="+inside, seedPath+"="+seed)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("%w; %s", err, needed)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() < 0 {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// prepare gives the program a /run of its own, where ip keeps the names of namespaces.
func prepare() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w; %s", err, needed)
	}
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount /run: %w; %s", err, needed)
	}
	return nil
}
