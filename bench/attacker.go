package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/peerexchange/peerexchange/bench/internal/load"
	"github.com/peerexchange/peerexchange/bench/internal/target"
)

// attacker is a running ./attacker. It gets the processor time of the generator's core that measuring leaves over: an
// attacker has a machine of its own, and does not slow down those who share the seed with it but through the seed.
type attacker struct {
	cmd   *exec.Cmd
	ask   io.WriteCloser
	tells *bufio.Reader
}

// attacked is what an attacker got until a moment.
type attacked struct {
	at          time.Time
	answers     int64 // to its getPeer requests
	allocations int64
}

// startAttacker returns once the attack is under way. Whoever starts it calls stop.
func (s *servers) startAttacker(ctx context.Context, seed load.Target) (*attacker, error) {
	a := &attacker{cmd: exec.CommandContext(ctx, s.attacker, seed.Addr, seed.TURN, seed.NetworkID, attackerIP)}
	a.cmd.Stderr = os.Stderr
	var err error
	if a.ask, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	a.tells = bufio.NewReader(out)
	if err := target.Behind(a.cmd.Start); err != nil {
		return nil, fmt.Errorf("start the attacker: %w", err)
	}
	if _, err := a.got(); err != nil {
		return nil, errors.Join(err, a.stop())
	}
	return a, nil
}

// got asks the attacker what it got.
func (a *attacker) got() (attacked, error) {
	if _, err := io.WriteString(a.ask, "\n"); err != nil {
		return attacked{}, fmt.Errorf("ask the attacker: %w", err)
	}
	var got attacked
	if _, err := fmt.Fscanln(a.tells, &got.answers, &got.allocations); err != nil {
		return attacked{}, fmt.Errorf("ask the attacker: %w", err)
	}
	got.at = time.Now()
	return got, nil
}

// stop ends the attacker, and waits for its end.
func (a *attacker) stop() error {
	a.ask.Close()
	if err := a.cmd.Wait(); err != nil {
		return fmt.Errorf("attacker: %w", err)
	}
	return nil
}
