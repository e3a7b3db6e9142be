package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 15 * time.Second
	stopTimeout  = 5 * time.Second
)

// Command says how a server is started.
type Command struct {
	Name  string // for errors
	Path  string
	Dir   string // empty: this process's
	Args  []string
	Split *Split // nil: on any core
}

// Server is a running server process.
type Server struct {
	name    string
	cmd     *exec.Cmd
	alive   io.Closer // its standard input, which stays open and empty as long as it is wanted
	exited  chan struct{}
	exitErr error // valid once exited is closed
	output  *tail
}

// Start starts a server and returns once it accepts connections on all addrs. Whoever starts it calls Stop.
func Start(ctx context.Context, c Command, addrs ...string) (*Server, error) {
	s := &Server{name: c.Name, exited: make(chan struct{}), output: &tail{}}
	s.cmd = exec.Command(c.Path, c.Args...)
	s.cmd.Dir = c.Dir
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.alive = stdin
	if err := c.Split.start(s.cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	go func() {
		s.exitErr = s.cmd.Wait()
		close(s.exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, addr := range addrs {
		if err := s.reachable(ctx, addr); err != nil {
			s.Stop()
			return nil, fmt.Errorf("start %s: %w: %s", c.Name, err, s.output)
		}
	}
	return s, nil
}

func (s *Server) reachable(ctx context.Context, addr string) error {
	var dialer net.Dialer
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-retry.C:
		case <-s.exited:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return err
		}
	}
}

// CPU is the processor time that the server has used.
func (s *Server) CPU() (time.Duration, error) { return readProc(s.cmd.Process.Pid, "stat", cpuTime) }

// Resident is the server's resident memory in bytes.
func (s *Server) Resident() (int64, error) {
	return readProc(s.cmd.Process.Pid, "status", residentBytes)
}

// Err says why the server is gone, if it is.
func (s *Server) Err() error {
	select {
	case <-s.exited:
		if s.exitErr != nil {
			return fmt.Errorf("%s ended: %w: %s", s.name, s.exitErr, s.output)
		}
		return fmt.Errorf("%s ended: %s", s.name, s.output)
	default:
		return nil
	}
}

// Stop ends the server and waits for its end. One that ignores being asked is killed.
func (s *Server) Stop() {
	s.alive.Close()
	// Neither signal can fail but for a process that is gone.
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-s.exited:
	case <-timeout.C:
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
}

// FreePort returns a TCP port that nothing on 127.0.0.1 listens on at the moment.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Loopback is an address on 127.0.0.1.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// tail keeps the end of what a server prints, to be shown when it fails.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailBytes; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}

// Build compiles a Go package of this module to path.
func Build(ctx context.Context, root, pkg, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
	cmd.Dir = root
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w", pkg, err)
	}
	return nil
}
