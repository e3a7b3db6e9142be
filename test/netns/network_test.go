//go:build interop

package netns

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// ip runs the program of that name.
func ip(t *testing.T, args ...string) {
	t.Helper()
	if output, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %q: %v: %s\n%s", args, err, output, needed)
	}
}

// space makes a namespace with nothing but a loopback interface, until the test ends.
func space(t *testing.T, name string) {
	t.Helper()
	ip(t, "netns", "add", name)
	t.Cleanup(func() { ip(t, "netns", "delete", name) })
	ip(t, "-n", name, "link", "set", "lo", "up")
}

// join links two namespaces by a network of their own, 10.91.number.0/24, of which they
// have the first and the second address.
func join(t *testing.T, one, other string, number int) {
	t.Helper()
	ip(t, "link", "add", "to-"+other, "netns", one, "type", "veth", "peer", "name", "to-"+one, "netns", other)
	for i, end := range []struct{ space, link string }{{one, "to-" + other}, {other, "to-" + one}} {
		ip(t, "-n", end.space, "address", "add", address(number, i+1)+"/24", "dev", end.link)
		ip(t, "-n", end.space, "link", "set", end.link, "up")
	}
}

func address(number, host int) string { return fmt.Sprintf("10.91.%d.%d", number, host) }

// command runs a program in a namespace.
func command(t *testing.T, space, program string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stepTime)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--net=/run/netns/" + space, program}, args...)...)
	cmd.Env = os.Environ()
	return cmd
}
