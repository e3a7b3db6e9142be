package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/peerexchange/peerexchange/bench/internal/target"
)

// Servers that are compared.
const (
	here   = "here"
	coturn = "coturn"
	pion   = "pion"
)

// programs are the executables that it takes.
type programs struct {
	self, turnserver, client, peer string
}

const hint = "it is in Debian's package coturn: apt-get install coturn"

func findPrograms() (p programs, err error) {
	if p.self, err = os.Executable(); err != nil {
		return p, err
	}
	for name, path := range map[string]*string{
		"turnserver": &p.turnserver, "turnutils_uclient": &p.client, "turnutils_peer": &p.peer,
	} {
		if *path, err = exec.LookPath(name); err != nil {
			return p, fmt.Errorf("%w; %s", err, hint)
		}
	}
	return p, nil
}

// startServer starts one of the servers on a free port of 127.0.0.1.
func (b *benchmark) startServer(ctx context.Context, name string) (*target.Server, int, error) {
	port, err := target.FreePort()
	if err != nil {
		return nil, 0, err
	}
	c := target.Command{
		Name: name, Path: b.programs.self, Args: []string{"-serve", name, "-port", strconv.Itoa(port)}, Split: b.split,
	}
	if name == coturn {
		c.Path = b.programs.turnserver
		c.Args = []string{
			"-n", "-L", relayIP.String(), "-E", relayIP.String(), "-p", strconv.Itoa(port),
			"--use-auth-secret", "--static-auth-secret", secret, "-r", realm,
			"--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls",
			"--log-file=/dev/null", "--simple-log", "--pidfile", b.dir + "/coturn.pid",
		}
	}
	server, err := target.Start(ctx, c, target.Loopback(port))
	return server, port, err
}
