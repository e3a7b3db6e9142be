package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/peerexchange/peerexchange/bench/internal/target"
)

// plan says how much is measured.
type plan struct {
	rounds   int // the servers in turns
	clients  int // of one run
	messages int // that each of them sends, one in a millisecond
}

var (
	fullPlan  = plan{rounds: 5, clients: 40, messages: 1000} // takes about ten minutes
	shortPlan = plan{rounds: 1, clients: 40, messages: 300}
)

// attempts is how often a run is tried of which messages are lost, as they are when the
// machine is too busy for the client or its peer.
const attempts = 5

var errLost = errors.New("messages were lost")

// benchmark makes the rows of the table.
type benchmark struct {
	plan     plan
	only     *regexp.Regexp // rows to be made
	split    *target.Split
	programs programs
	dir      string
	log      io.Writer
	verbose  bool
}

func (b *benchmark) prepare() (err error) {
	b.programs, err = findPrograms()
	return err
}

// loads are what the client does.
var loads = []struct {
	name  string
	flags []string
	limit float64 // of the ratio to coturn; zero is for comparison only
}{
	{"200 bytes over UDP, in channels", []string{"-l", "200"}, 1.2},
	{"1,000 bytes over UDP, in channels", []string{"-l", "1000"}, 1.2},
	{"200 bytes over UDP, in indications", []string{"-l", "200", "-s"}, 1.2},
	{"200 bytes over TCP, in channels", []string{"-l", "200", "-t"}, 1.2},
}

func (b *benchmark) rows(ctx context.Context) (rows []row, err error) {
	if b.dir, err = os.MkdirTemp("", "turn-bench-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	for _, load := range loads {
		if !b.only.MatchString(load.name) {
			continue
		}
		fmt.Fprintln(b.log, "bench/turn:", load.name)
		costs := make(map[string][]float64)
		var ratios []float64
		for range b.plan.rounds {
			for _, server := range []string{here, coturn, pion} {
				cost, err := b.measure(ctx, server, load.flags)
				for try := 1; errors.Is(err, errLost) && try < attempts; try++ {
					cost, err = b.measure(ctx, server, load.flags)
				}
				if err != nil {
					return rows, fmt.Errorf("%s: %s: %w", load.name, server, err)
				}
				costs[server] = append(costs[server], cost)
			}
			last := len(costs[here]) - 1
			ratios = append(ratios, costs[here][last]/costs[coturn][last])
		}
		rows = append(rows, row{
			load: load.name, here: median(costs[here]), coturn: median(costs[coturn]), pion: median(costs[pion]),
			ratio: median(ratios), limit: load.limit,
		})
	}
	return rows, nil
}

// measure returns the microseconds of processor time that a server of its own used for
// each message that it relayed, there and back.
func (b *benchmark) measure(ctx context.Context, name string, flags []string) (float64, error) {
	server, port, err := b.startServer(ctx, name)
	if err != nil {
		return 0, err
	}
	defer server.Stop()
	peerPort, err := target.FreePort()
	if err != nil {
		return 0, err
	}
	peer, err := target.Start(ctx, target.Command{
		Name: "turnutils_peer", Path: b.programs.peer, Args: []string{"-L", peerIP.String(), "-p", strconv.Itoa(peerPort)},
	})
	if err != nil {
		return 0, err
	}
	defer peer.Stop()

	before, err := server.CPU()
	if err != nil {
		return 0, err
	}
	sent, received, err := b.load(ctx, port, peerPort, flags)
	if err != nil {
		return 0, errors.Join(err, server.Err())
	}
	after, err := server.CPU()
	if err != nil {
		return 0, err
	}
	// Whether one was lost before it was relayed or after is not known.
	if received < sent*9/10 {
		return 0, fmt.Errorf("%w: %d of %d came back", errLost, received, sent)
	}
	cost := float64(after-before) / float64(time.Microsecond) / float64(sent+received)
	if b.verbose {
		fmt.Fprintf(b.log, "bench/turn:   %-7s %6.2f µs, %d of %d messages came back\n", name, cost, received, sent)
	}
	return cost, nil
}

var (
	sentCount     = regexp.MustCompile(`tot_send_msgs=(\d+)`)
	receivedCount = regexp.MustCompile(`tot_recv_msgs=(\d+)`)
)

// load runs the client, and returns how many messages it has sent and got back.
func (b *benchmark) load(ctx context.Context, port, peerPort int, flags []string) (sent, received int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	args := slices.Concat([]string{
		"-p", strconv.Itoa(port), "-e", peerIP.String(), "-r", strconv.Itoa(peerPort), "-W", secret, "-u", "bench", "-c",
		"-m", strconv.Itoa(b.plan.clients), "-n", strconv.Itoa(b.plan.messages), "-z", "1",
	}, flags, []string{relayIP.String()})
	output, err := exec.CommandContext(ctx, b.programs.client, args...).CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("turnutils_uclient: %w: %s", err, output[max(0, len(output)-1000):])
	}
	if sent, err = lastCount(sentCount, output); err != nil {
		return 0, 0, err
	}
	received, err = lastCount(receivedCount, output)
	return sent, received, err
}

func lastCount(pattern *regexp.Regexp, output []byte) (int, error) {
	all := pattern.FindAllSubmatch(output, -1)
	if len(all) == 0 {
		return 0, fmt.Errorf("turnutils_uclient did not count: %s", output[max(0, len(output)-1000):])
	}
	return strconv.Atoi(string(all[len(all)-1][1]))
}
