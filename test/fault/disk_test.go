//go:build interop

package fault

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

const needed = "this test mounts a small disk in a mount namespace: run it as root, or where everybody may make user namespaces " +
	"(sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces); a container needs CAP_SYS_ADMIN"

// disk is a small file system that is there only within a namespace.
type disk struct {
	t   *testing.T
	dir string
	pid int // of the process that keeps the namespace
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{t: t, dir: t.TempDir()}
	keeper := exec.Command("unshare", "--mount", "--map-root-user", "sh", "-c",
		`mount -t tmpfs -o size=64k,mode=700 tmpfs "$0" && echo mounted && exec cat`, d.dir)
	var stderr bytes.Buffer
	keeper.Stderr = &stderr
	in, err := keeper.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := keeper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := keeper.Start(); err != nil {
		t.Fatalf("%v; %s", err, needed)
	}
	t.Cleanup(func() {
		in.Close()
		keeper.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		keeper.Wait()
		t.Fatalf("%q, %v: %s; %s", line, err, stderr.String(), needed)
	}
	d.pid = keeper.Process.Pid
	return d
}

// command is a program that sees the disk.
func (d *disk) command(name string, args ...string) *exec.Cmd {
	pid := strconv.Itoa(d.pid)
	return exec.Command("nsenter", append([]string{"--target", pid, "--user", "--mount", "--preserve-credentials", name}, args...)...)
}

// sh runs a script in the disk's directory and returns what it prints.
func (d *disk) sh(script string) string {
	d.t.Helper()
	output, err := d.command("sh", "-c", `cd "$0" && `+script, d.dir).CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s: %v: %s", script, err, output)
	}
	return string(output)
}

// fill leaves no room on the disk, and free undoes that.
func (d *disk) fill() { d.sh("{ cat /dev/zero >filler 2>/dev/null || true; }") }
func (d *disk) free() { d.sh("rm filler") }

func (d *disk) seed() *exec.Cmd {
	return d.command(program, append(common, "--listen", "127.0.0.1:0", "--turn-listen", "127.0.0.1:0", "--turn-relay-ip", "127.0.0.1",
		"--state-dir", d.dir)...)
}

// visit connects to a seed as a peer and as a web page, and returns what its certificate
// is.
func visit(t *testing.T, s *seed) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stepTime)
	defer cancel()
	// Which certificate it is, is what the test wants to know.
	insecure := &tls.Config{InsecureSkipVerify: true}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: insecure, DisableKeepAlives: true}, Timeout: stepTime}
	res, err := client.Get("https://" + s.address + "/ice")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var ice struct{ ICEServers []struct{ Credential string } }
	if err := json.NewDecoder(res.Body).Decode(&ice); err != nil || len(ice.ICEServers) != 2 || ice.ICEServers[1].Credential == "" {
		t.Errorf("/ice answers %s, %+v, %v", res.Status, ice, err)
	}
	ex, err := exchange.New(networkID, exchange.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer ex.Close()
	_, port, _ := strings.Cut(s.address, ":")
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ex.Connect(ctx, transports.WebSocket, "127.0.0.1", transports.Options{Port: number, Secure: true, TLS: insecure}); err != nil {
		t.Error(err)
	}
	return string(res.TLS.PeerCertificates[0].Raw)
}

// TestFullDisk runs a seed whose state directory has no room: at its first start that is
// an error which says so, and later nothing that it needs.
func TestFullDisk(t *testing.T) {
	d := newDisk(t)
	d.fill()
	first := d.seed()
	var stderr bytes.Buffer
	first.Stdout, first.Stderr = io.Discard, &stderr
	if err := first.Run(); first.ProcessState == nil || first.ProcessState.ExitCode() != 1 {
		t.Fatalf("a seed that cannot keep its certificate ends with %v:\n%s", err, stderr.String())
	}
	for _, want := range []string{"no space left on device", d.dir, "--state-dir"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, stderr.String())
		}
	}
	if left := d.sh("ls -A"); left != "filler\n" {
		t.Errorf("it left half of something: %q", left)
	}

	d.free()
	s := start(t, d.seed())
	if s == nil {
		t.Fatal("the seed does not start")
	}
	certificate := visit(t, s)
	const state = "cat tls.pem tls.crt turn.secret"
	kept := d.sh(state)
	d.fill()
	if visit(t, s) != certificate {
		t.Error("the seed has another certificate while its disk is full")
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.wait(); err != nil {
		t.Errorf("the seed ended with %v:\n%s", err, s.log.String())
	}

	if s = start(t, d.seed()); s == nil {
		t.Fatal("the seed does not start again")
	}
	if visit(t, s) != certificate {
		t.Error("the seed has another certificate after a restart")
	}
	if d.sh(state) != kept {
		t.Error("what the seed keeps has changed")
	}
}
