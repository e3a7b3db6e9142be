package localseed

import (
	"bufio"
	"context"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
)

// Seed is a running cmd/seed.
type Seed struct {
	Process *os.Process
	Log     clients.Tail // standard error
	Out     clients.Tail // standard output
	End     chan error   // gets how the process ended

	// One port each, for websockets and for the bare protocol.
	Plain, Secure clients.Endpoint
}

// Start builds and runs cmd/seed with both of its ports, and with more flags. It ends
// with the test.
func (a *Authority) Start(t *testing.T, network string, flags ...string) *Seed {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "seed")
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	build := exec.CommandContext(ctx, "go", "build", "-o", bin, "github.com/peerexchange/peerexchange/cmd/seed")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build cmd/seed: %v\n%s", err, out)
	}
	s := &Seed{End: make(chan error, 1)}
	cmd := exec.CommandContext(ctx, bin, append(flags,
		"--network-id", network, "--state-dir", t.TempDir(),
		"--listen", "127.0.0.1:0", "--tls-cert", a.CertFile, "--tls-key", a.KeyFile,
		"--listen-plain", "127.0.0.1:0", "--webrtc-listen", "off", "--admin-listen", "off",
		// The relays of v0 nodes stay open for 30 seconds, which nobody needs here.
		"--drain-timeout", "1s",
		"--log-level", "debug",
		// Nodes of this test draw peers much faster than applications do.
		"--limit", "relays-per-peer=1000", "--limit", "getpeer-per-second=1000",
	)...)
	cmd.Stderr = &s.Log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start cmd/seed: %v", err)
	}
	s.Process = cmd.Process
	ready := make(chan struct{})
	read := make(chan struct{})
	go func() {
		defer close(read)
		isReady := false
		lines := bufio.NewScanner(io.TeeReader(stdout, &s.Out))
		for lines.Scan() {
			for _, word := range strings.Fields(lines.Text()) {
				s.learn(word)
			}
			if !isReady && s.Plain.Port != 0 && s.Secure.Port != 0 {
				isReady = true
				close(ready)
			}
		}
		s.End <- cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-read
		if t.Failed() {
			t.Logf("seed printed:\n%s\nand logged:\n%s", s.Out.String(), s.Log.String())
		}
	})
	select {
	case <-ready:
	case <-read:
		t.Fatalf("cmd/seed ended: %v\n%s", <-s.End, s.Log.String())
	case <-clients.Context(t).Done():
		t.Fatalf("cmd/seed does not say where it listens:\n%s", s.Out.String())
	}
	return s
}

// learn takes the addresses out of what the seed prints for people.
func (s *Seed) learn(word string) {
	u, err := url.Parse(word)
	if err != nil || u.Hostname() != "127.0.0.1" {
		return
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return
	}
	switch u.Scheme {
	case "ws":
		s.Plain = clients.Endpoint{Host: u.Hostname(), Port: port}
	case "wss":
		s.Secure = clients.Endpoint{Host: u.Hostname(), Port: port, Secure: true}
	}
}
