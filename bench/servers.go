package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/peerexchange/peerexchange/bench/internal/load"
	"github.com/peerexchange/peerexchange/bench/internal/target"
)

const networkID = "bench"

// servers knows how each server is started.
type servers struct {
	split    *target.Split
	root     string // of this repository
	dir      string // temporary, for what is built and what servers keep
	seed     string // binary
	gorilla  string // binary
	attacker string // binary
	node     string // binary; empty where there is none
	npmSeed  string // directory of the npm seed
}

// prepare builds and installs what is going to be measured.
func prepare(ctx context.Context, seed, dir string, split *target.Split) (*servers, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	s := &servers{
		root:     root,
		split:    split,
		dir:      dir,
		seed:     seed,
		gorilla:  filepath.Join(dir, "gorilla"),
		attacker: filepath.Join(dir, "attacker"),
		npmSeed:  filepath.Join(root, "bench", "npm-seed"),
	}
	if s.seed == "" {
		s.seed = filepath.Join(dir, "seed")
		if err := target.Build(ctx, root, "./cmd/seed", s.seed); err != nil {
			return nil, err
		}
	}
	for pkg, path := range map[string]string{"./bench/gorilla": s.gorilla, "./bench/attacker": s.attacker} {
		if err := target.Build(ctx, root, pkg, path); err != nil {
			return nil, err
		}
	}
	if s.node, err = exec.LookPath("node"); err != nil {
		fmt.Fprintln(os.Stderr, "bench: node is not installed: nothing is compared with the npm seed")
		return s, nil
	}
	return s, s.installNPM(ctx)
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("find the module: run the benchmark inside of its repository")
	}
	return filepath.Dir(file), nil
}

// installNPM installs the packages of the lock file, once.
func (s *servers) installNPM(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(s.npmSeed, "node_modules", ".package-lock.json")); err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = s.npmSeed
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("install the npm seed: %w", err)
	}
	return nil
}

func (s *servers) hasNPM() bool { return s.node != "" }

// start starts a server. where is what a client connects to.
type start func(context.Context) (server *target.Server, where load.Target, err error)

func (s *servers) startSeed(ctx context.Context) (*target.Server, load.Target, error) {
	return s.startOurs(ctx, false)
}

func (s *servers) startSeedTLS(ctx context.Context) (*target.Server, load.Target, error) {
	return s.startOurs(ctx, true)
}

func (s *servers) startOurs(ctx context.Context, secure bool) (*target.Server, load.Target, error) {
	port, err := target.FreePort()
	if err != nil {
		return nil, load.Target{}, err
	}
	state, err := os.MkdirTemp(s.dir, "state-")
	if err != nil {
		return nil, load.Target{}, err
	}
	addr := target.Loopback(port)
	listen := []string{"--listen", "off", "--listen-plain", addr}
	if secure {
		listen = []string{"--listen", addr}
	}
	server, err := target.Start(ctx, target.Command{
		Name: "seed",
		Path: s.seed,
		Args: append(listen, "--network-id", networkID, "--webrtc-listen", "off", "--admin-listen", "off", "--turn-listen", "off", "--state-dir", state,
			"--limit", "all=unlimited", "--verify-candidates=false", "--log-level", "warn"),
		Split: s.split,
	}, addr)
	return server, load.Target{Addr: addr, TLS: secure, NetworkID: networkID}, err
}

func (s *servers) startNPM(ctx context.Context) (*target.Server, load.Target, error) {
	port, err := target.FreePort()
	if err != nil {
		return nil, load.Target{}, err
	}
	addr := target.Loopback(port)
	server, err := target.Start(ctx, target.Command{
		Name:  "npm seed",
		Path:  s.node,
		Dir:   s.npmSeed,
		Args:  []string{"seed.js", networkID, fmt.Sprint(port)},
		Split: s.split,
	}, addr)
	return server, load.Target{Addr: addr, NetworkID: networkID}, err
}

func (s *servers) startGorilla(ctx context.Context) (*target.Server, load.Target, error) {
	return s.startEcho(ctx, false)
}

func (s *servers) startGorillaTLS(ctx context.Context) (*target.Server, load.Target, error) {
	return s.startEcho(ctx, true)
}

func (s *servers) startEcho(ctx context.Context, secure bool) (*target.Server, load.Target, error) {
	plain, tls, err := twoAddrs()
	if err != nil {
		return nil, load.Target{}, err
	}
	where := load.Target{Addr: plain}
	if secure {
		where.Addr, where.TLS = tls, true
	}
	server, err := target.Start(ctx, target.Command{
		Name: "gorilla", Path: s.gorilla, Args: []string{plain, tls}, Split: s.split,
	}, plain, tls)
	return server, where, err
}

func twoAddrs() (plain, tls string, err error) {
	for _, addr := range []*string{&plain, &tls} {
		port, err := target.FreePort()
		if err != nil {
			return "", "", err
		}
		*addr = target.Loopback(port)
	}
	return plain, tls, nil
}
