package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// asSeed in the environment makes this test program the seed command.
const asSeed = "TEST_RUNS_AS_SEED"

func TestMain(m *testing.M) {
	if os.Getenv(asSeed) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// command is the seed command with these arguments.
func command(t *testing.T, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asSeed+"=1", "STATE_DIRECTORY="+t.TempDir(), "SEED_ADMIN_LISTEN=127.0.0.1:0",
		"SEED_TURN_LISTEN=127.0.0.1:0")
	return cmd
}

// process is a seed that runs.
type process struct {
	*exec.Cmd
	address string // ws://
	admin   string // http://
	logs    lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
	// told is closed once the text was written.
	text string
	told chan struct{}
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	had := strings.Contains(l.b.String(), l.text)
	n, err := l.b.Write(p)
	if !had && strings.Contains(l.b.String(), l.text) {
		close(l.told)
	}
	return n, err
}

// startProcess starts a seed of the network "net" on free ports.
func startProcess(t *testing.T, tweaks ...func(*exec.Cmd)) *process {
	t.Helper()
	p := &process{Cmd: command(t, "--network-id=net", "--listen=127.0.0.1:0", "--listen-plain=127.0.0.1:0",
		"--webrtc-listen=:0", "--drain-timeout=1m")}
	p.logs.text, p.logs.told = "shutting down", make(chan struct{})
	p.Stderr = &p.logs
	for _, tweak := range tweaks {
		tweak(p.Cmd)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := regexp.MustCompile(`ws://[0-9.:]+`).FindString(lines.Text()); found != "" && p.address == "" {
			p.address = found
		}
		if found := regexp.MustCompile(`http://[0-9.:]+`).FindString(lines.Text()); found != "" {
			p.admin = found
		}
		if strings.Contains(lines.Text(), "Ctrl-C") {
			break
		}
	}
	if p.address == "" {
		p.Wait()
		t.Fatalf("the seed said no address; its log:\n%s", p.logs.b.String())
	}
	return p
}

func TestSignalEndsTheSeed(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			p := startProcess(t)
			if err := p.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := p.Wait(); err != nil {
				t.Errorf("seed: %v; its log:\n%s", err, p.logs.b.String())
			}
		})
	}
}

func TestDrainRequestEndsTheSeed(t *testing.T) {
	p := startProcess(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Post(p.admin+"/drain", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		t.Errorf("POST /drain: %s", res.Status)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("seed: %v; its log:\n%s", err, p.logs.b.String())
	}
}

// endless is a transport named webrtc whose negotiations do not end by themselves.
type endless struct{ began chan struct{} }

func (endless) Name() string { return transports.WebRTC }

func (e endless) Negotiate(ctx context.Context, role transports.Role, _ transports.Signaling) (net.Conn, error) {
	if role == transports.Responder {
		close(e.began)
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestSecondSignalEndsTheSeedAtOnce(t *testing.T) {
	p := startProcess(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	e := endless{make(chan struct{})}
	var nodes []*exchange.Exchange
	for i := range 2 {
		ex, err := exchange.New("net", exchange.Config{Transports: []transports.Transport{websocket.New(websocket.Config{}), e}})
		if err != nil {
			t.Fatal(err)
		}
		defer ex.Close()
		if i == 0 {
			if err := ex.Accept(ctx, transports.WebRTC, transports.Options{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ex.ConnectURL(ctx, p.address); err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, ex)
	}
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	asking.Go(func() {
		// The seed may know of the candidate a moment later than the candidate does.
		for ctx.Err() == nil {
			if _, err := nodes[1].GetNewPeer(ctx); !errors.Is(err, exchange.ErrNoCandidates) {
				return
			}
		}
	})
	select {
	case <-e.began:
	case <-ctx.Done():
		t.Fatal("no introduction began")
	}

	p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.logs.told:
	case <-ctx.Done():
		t.Fatal("the first signal did nothing")
	}
	p.Process.Signal(syscall.SIGTERM)
	err := p.Wait()
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("seed ended with %v, want the signal", err)
	}
}

func TestExitStatus(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		args []string
		want int
		say  string // on standard error
	}{
		{[]string{"--help"}, exitOK, ""},
		{[]string{"--version"}, exitOK, ""},
		{nil, exitUsage, "--network-id"},
		{[]string{"--network-id=net", "--nonsense"}, exitUsage, "--help"},
		{[]string{"--network-id=net", "--listen=off"}, exitError, "--listen-plain"},
		{[]string{"--network-id=net", "--listen=" + taken.Addr().String()}, exitError, "in use"},
	} {
		cmd := command(t, c.args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != c.want || !strings.Contains(stderr.String(), c.say) {
			t.Errorf("seed %s: exit status %d, want %d, and said %q, want %q", strings.Join(c.args, " "), got, c.want, stderr.String(), c.say)
		}
	}
}

func TestAddressIsAURL(t *testing.T) {
	p := startProcess(t)
	defer p.Wait()
	defer p.Process.Signal(syscall.SIGTERM)
	if u, err := url.Parse(p.address); err != nil || u.Port() == "" || u.Port() == "0" {
		t.Errorf("address %s: %v", p.address, err)
	}
}
