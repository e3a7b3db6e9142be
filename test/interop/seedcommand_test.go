//go:build interop

package interop

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"
)

// seedCommand is a running cmd/seed.
type seedCommand struct {
	cmd *exec.Cmd
	log tail
	out tail
	end chan error // gets what Wait returned

	plain  endpoint // one port each, for websockets and for the bare protocol
	secure endpoint
}

// startSeedCommand builds and runs cmd/seed with both of its ports, and with more flags.
func startSeedCommand(t *testing.T, flags ...string) *seedCommand {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "seed")
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", bin, "../../cmd/seed").CombinedOutput(); err != nil {
		t.Fatalf("build cmd/seed: %v\n%s", err, out)
	}
	s := &seedCommand{end: make(chan error, 1)}
	s.cmd = exec.CommandContext(ctx, bin, append(flags,
		"--network-id", networkOf(t), "--state-dir", t.TempDir(),
		"--listen", "127.0.0.1:0", "--tls-cert", suite.pki.certFile, "--tls-key", suite.pki.keyFile,
		"--listen-plain", "127.0.0.1:0", "--webrtc-listen", "off", "--admin-listen", "off",
		// The relays of v0 nodes stay open for 30 seconds, which nobody needs here.
		"--drain-timeout", "1s",
		"--log-level", "debug",
		// Nodes of this test draw peers much faster than applications do.
		"--limit", "relays-per-peer=1000", "--limit", "getpeer-per-second=1000",
	)...)
	s.cmd.Stderr = &s.log
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start cmd/seed: %v", err)
	}
	ready := make(chan struct{})
	read := make(chan struct{})
	go func() {
		defer close(read)
		isReady := false
		lines := bufio.NewScanner(io.TeeReader(stdout, &s.out))
		for lines.Scan() {
			for _, word := range strings.Fields(lines.Text()) {
				s.learn(word)
			}
			if !isReady && s.plain.port != 0 && s.secure.port != 0 {
				isReady = true
				close(ready)
			}
		}
		s.end <- s.cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-read
		if t.Failed() {
			t.Logf("seed printed:\n%s\nand logged:\n%s", s.out.String(), s.log.String())
		}
	})
	select {
	case <-ready:
	case <-read:
		t.Fatalf("cmd/seed ended: %v\n%s", <-s.end, s.log.String())
	case <-testContext(t).Done():
		t.Fatalf("cmd/seed does not say where it listens:\n%s", s.out.String())
	}
	return s
}

// learn takes the addresses out of what the seed prints for people.
func (s *seedCommand) learn(word string) {
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
		s.plain = endpoint{host: u.Hostname(), port: port}
	case "wss":
		s.secure = endpoint{host: u.Hostname(), port: port, secure: true}
	}
}

// over returns the endpoint for one of the protocols of a port.
func (e endpoint) over(transport string) endpoint {
	e.transport = transport
	return e
}

// TestSeedCommand runs the seed as people do, with nodes of both generations in
// Node, Chromium and Go at it, each connected in another way. All nodes of a
// generation find each other, and keep each other when the seed is told to end.
func TestSeedCommand(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	seed := startSeedCommand(t, "--turn-listen", "off")

	var (
		all       errgroup.Group
		everybody []participant
		toSeed    []int
	)
	for _, gen := range generations {
		ways := []struct {
			maker
			to endpoint
		}{
			{inNode, seed.plain.over("websocket")},
			{inNode, seed.secure.over("websocket")},
			{inNode, seed.plain.over("tcp")},
			{inTab, seed.secure.over("websocket")},
			{inGo, seed.secure.over("websocket")},
			{inGo, seed.secure.over("tcp")},
		}
		nodes := make([]participant, len(ways))
		names := make([]string, len(ways))
		via := make([]int, len(ways))
		for i, way := range ways {
			names[i] = fmt.Sprintf("%s-%s-%d", gen, way.label, i)
			nodes[i] = way.start(t, gen, names[i])
			s.acceptWebRTC(nodes[i])
			via[i] = s.connect(nodes[i], way.to)
		}
		everybody, toSeed = append(everybody, nodes...), append(toSeed, via...)
		for i, node := range nodes {
			all.Go(func() error { return findAll(s.ctx, node, via[i], names[i], names) })
		}
		defer func() {
			for i, node := range nodes {
				next := names[(i+1)%len(names)]
				s.echo(node, s.await(node, next), payload/16, next)
			}
		}()
	}
	s.must(all.Wait())

	s.must(seed.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-seed.end:
		if err != nil {
			t.Fatalf("the seed ended with %v", err)
		}
	case <-s.ctx.Done():
		t.Fatal("the seed does not end after SIGTERM")
	}
	for i, node := range everybody {
		s.must(node.await(s.ctx, "the seed to be gone", func(peers []peerInfo) bool {
			return !slices.ContainsFunc(peers, func(p peerInfo) bool { return p.id == toSeed[i] && p.connected })
		}))
	}
}
