//go:build interop

package turn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun"
)

// program finds a program of coturn's.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v; it is in Debian's package coturn: apt-get install coturn", err)
	}
	return path
}

// uclient runs coturn's client against a server and returns what it printed. If it has not
// ended after a while, or before ctx, it is killed.
func uclient(ctx context.Context, t *testing.T, s *Server, transport string, atMost time.Duration, flags ...string) (string, error) {
	t.Helper()
	_, port, _ := strings.Cut(s.Addrs(transport)[0].String(), ":")
	args := slices.Concat([]string{"-W", testSecret, "-u", "coturn", "-p", port, "-z", "5"}, flags)
	switch transport {
	case TransportTLS:
		args = append(args, "-t", "-S")
	case TransportTCP:
		args = append(args, "-t")
	}
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	output, err := exec.CommandContext(ctx, program(t, "turnutils_uclient"), append(args, "127.0.0.1")...).CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return string(output), err
}

var counted = regexp.MustCompile(`tot_(send|recv)_msgs=(\d+)`)

// exchanged returns how many messages came back, and how many did not.
func exchanged(output string) (received, lost int) {
	var last [2]int
	for _, m := range counted.FindAllStringSubmatch(output, -1) {
		n, _ := strconv.Atoi(m[2])
		if m[1] == "send" {
			last[0] = n
		} else {
			last[1] = n
		}
	}
	return last[1], last[0] - last[1]
}

const uclientTime = time.Minute

// echoPair is an echo at two ports in a row, of which coturn's client uses the second for
// RTCP. It returns the flags for it.
func echoPair(t *testing.T) (flags []string) {
	t.Helper()
	for range 100 {
		first, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(peerIP, 0)))
		if err != nil {
			t.Fatal(err)
		}
		port := first.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		second, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(peerIP, port+1)))
		if err != nil {
			first.Close()
			continue
		}
		echoOn(t, first)
		echoOn(t, second)
		return []string{"-e", peerIP.String(), "-r", strconv.Itoa(int(port))}
	}
	t.Fatal("no two ports in a row are free")
	return nil
}

// TestCoturnClient has coturn's client exchange data by each transport: with a peer and
// between clients, by channels and by indications, with and without a second port for RTCP.
// Most of the time it waits, so that all of it is done side by side.
func TestCoturnClient(t *testing.T) {
	t.Parallel()
	for _, transport := range Transports() {
		for _, test := range []struct {
			name   string
			toPeer bool
			flags  []string
		}{
			{"peer", true, nil},
			{"without RTCP", true, []string{"-c"}},
			{"indications", true, []string{"-s"}},
			{"more requests", true, []string{"-G"}},
			{"padded", true, []string{"-D"}},
			{"client to client", false, []string{"-y"}},
		} {
			t.Run(transport+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				const clients, messages = 10, 20
				s := start(t, testConfig(t))
				flags := append([]string{"-m", "10", "-n", "20", "-l", "170"}, test.flags...)
				if test.toPeer {
					flags = append(flags, echoPair(t)...)
				}
				output, err := uclient(t.Context(), t, s, transport, uclientTime, flags...)
				received, lost := exchanged(output)
				stats := s.Stats()
				if transport == TransportTLS && received > 0 {
					// It does not read all that one record brings, from coturn's own server
					// neither. What it was sent, the server knows.
					received = int(stats.Messages[ToClient])
				}
				// It does not wait for the last ones forever on a busy machine.
				if err != nil || stats.Messages[ToPeer] < clients*messages*9/10 || received < clients*messages*9/10 {
					t.Errorf("%d messages came back, %d were lost: %v, %+v\n%s", received, lost, err, stats, output)
				}
				if stats.Dropped[DroppedMalformed] != 0 || stats.Dropped[DroppedSend] != 0 {
					t.Errorf("dropped %v", stats.Dropped)
				}
			})
		}
	}
}

// TestManyCoturnClients share one server.
func TestManyCoturnClients(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Limits.AllocationsPerCredential, cfg.Limits.AllocationsPerClient = Unlimited, Unlimited
	s := start(t, cfg)
	output, err := uclient(t.Context(), t, s, TransportUDP, uclientTime, append([]string{"-c", "-m", "100", "-n", "10", "-z", "20"}, echoPair(t)...)...)
	if received, lost := exchanged(output); err != nil || received < 900 {
		t.Errorf("%d messages came back, %d were lost: %v\n%s", received, lost, err, output)
	}
	if n := s.Stats().AllocationsTotal[TransportUDP]; n < 100 {
		t.Errorf("%d allocations", n)
	}
}

// TestCoturnWrongSecret gets nowhere.
func TestCoturnWrongSecret(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Secrets = secrets("another")
	s := start(t, cfg)
	// It asks again and again.
	ctx, cancel := context.WithCancel(t.Context())
	looking := make(chan struct{})
	go func() {
		defer close(looking)
		defer cancel()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for s.Stats().AuthFailures[AuthMismatch] < 2 {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	output, err := uclient(ctx, t, s, TransportUDP, uclientTime, "-c", "-y", "-n", "1")
	cancel()
	<-looking
	if received, _ := exchanged(output); err == nil || received != 0 {
		t.Errorf("%d messages came back\n%s", received, output)
	}
	stats := s.Stats()
	if stats.AuthFailures[AuthMismatch] < 2 || stats.AllocationsTotal[TransportUDP] != 0 {
		t.Errorf("stats %+v", stats)
	}
}

// TestCoturnNegative runs its client's negative tests, of which the server must make what
// coturn makes of them, and serve others as before.
func TestCoturnNegative(t *testing.T) {
	t.Parallel()
	for _, transport := range Transports() {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s := start(t, testConfig(t))
			toPeer := append([]string{"-m", "4", "-n", "10"}, echoPair(t)...)

			// With -N it asks for a channel of a random number whenever it binds one, and it
			// binds each peer twice. A second number for the same peer has to be refused (RFC
			// 8656 section 12.2), upon which it gives up: with coturn's own server, it ends with
			// the same words.
			output, err := uclient(t.Context(), t, s, transport, uclientTime, append([]string{"-N"}, toPeer...)...)
			if err == nil || !strings.Contains(output, "channel bind: error "+strconv.Itoa(int(stun.CodeBadRequest))) {
				t.Errorf("-N: %v\n%s", err, output)
			}
			// -R sends malformed messages at random, some in place of a request. For want of an
			// answer it waits until it is killed; an error, or a stream that is closed since
			// nobody can tell where its next message begins, ends it. What counts is that
			// others are served afterwards.
			output, err = uclient(t.Context(), t, s, transport, 3*time.Second, append([]string{"-R"}, toPeer...)...)
			if exit := (*exec.ExitError)(nil); err != nil && !errors.Is(err, context.DeadlineExceeded) && !(errors.As(err, &exit) && exit.Exited()) {
				t.Errorf("-R: %v\n%s", err, output)
			}
			output, err = uclient(t.Context(), t, s, transport, uclientTime, toPeer...)
			if received, _ := exchanged(output); err != nil || received < 36 && transport != TransportTLS || received == 0 {
				t.Errorf("afterwards %d messages came back: %v, %+v\n%s", received, err, s.Stats(), output)
			}
		})
	}
}
