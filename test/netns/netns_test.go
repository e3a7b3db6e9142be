//go:build interop

package netns

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// stepTime bounds what a test waits for.
const stepTime = time.Minute

const seedPort = 8000

// started is a process that runs until the test ends.
type started struct {
	cmd *exec.Cmd
	in  io.Closer
	log bytes.Buffer
}

// start starts a program and returns once it has printed a line that contains the word.
func start(t *testing.T, cmd *exec.Cmd, word string) *started {
	t.Helper()
	s := &started{cmd: cmd}
	cmd.Stderr = &s.log
	var err error
	if s.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	found := false
	for !found && lines.Scan() {
		found = strings.Contains(lines.Text(), word)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		s.in.Close()
		cmd.Process.Kill() // a shutdown would wait for relays to end
		<-drained
		err := cmd.Wait()
		if t.Failed() {
			t.Logf("%s ended: %v; it logged:\n%s", cmd.Path, err, s.log.String())
		}
	})
	if !found {
		t.Fatalf("%q does not say %q", cmd.Args, word)
	}
	return s
}

// world is a seed, and a peer on each side of it, which reach the seed and not each other.
func world(t *testing.T) {
	t.Helper()
	for _, name := range []string{"seed", "left", "right"} {
		space(t, name)
	}
	join(t, "seed", "left", 1)
	join(t, "seed", "right", 2)
	start(t, command(t, "seed", os.Getenv(seedPath),
		"--network-id", networkID, "--listen", "off", "--listen-plain", fmt.Sprintf(":%d", seedPort), "--turn-listen", ":3478",
		"--turn-relay-ip", address(1, 1), "--webrtc-listen", "off", "--admin-listen", "off", "--state-dir", t.TempDir(),
		"--log-level", "debug"), "Ctrl-C")
}

// peer is this program as a peer in a namespace.
func peer(t *testing.T, space string, number int, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, space, self)
	cmd.Env = append(cmd.Env, append(env, role+"="+asPeer, fmt.Sprintf("%s=ws://%s:%d", peerSeed, address(number, 1), seedPort))...)
	return cmd
}

// meet has the peer on the left find the one on the right.
func meet(t *testing.T) (m meeting, remote net.IP) {
	t.Helper()
	start(t, peer(t, "right", 2), "ready")
	asker := peer(t, "left", 1, peerAsks+"=1")
	var stderr bytes.Buffer
	asker.Stderr = &stderr
	output, err := asker.Output()
	if err != nil {
		t.Fatalf("the peer that asks: %v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(output, &m); err != nil {
		t.Fatalf("the peer said %q: %v", output, err)
	}
	host, _, err := net.SplitHostPort(m.Remote)
	if err != nil {
		t.Fatal(err)
	}
	return m, net.ParseIP(host)
}

// TestNoRoute has two peers without a route to each other connect through the seed's
// TURN server.
func TestNoRoute(t *testing.T) {
	world(t)
	if m, remote := meet(t); m.Path != "turn" || remote.String() != address(1, 1) {
		t.Errorf("they are connected by %+v, want the seed's relay at %s", m, address(1, 1))
	}
}

// TestRoute has two peers that the seed connects find the direct way, although there
// is the other one as well.
func TestRoute(t *testing.T) {
	world(t)
	join(t, "left", "right", 3)
	if m, remote := meet(t); m.Path != "direct" || remote.String() != address(3, 2) {
		t.Errorf("they are connected by %+v, want %s directly", m, address(3, 2))
	}
}
