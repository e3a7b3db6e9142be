package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// allocations is the row about relayed frames: the most that any of the multiplexer's relay benchmarks allocates for one.
func (b *benchmark) allocations(ctx context.Context) ([]row, error) {
	const name = "allocations per relayed frame"
	if !b.wants(name) {
		return nil, nil
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkRelay", "-benchmem",
		"-benchtime", "50000x", "./pkg/exchange/internal/mux")
	cmd.Dir = b.servers.root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, out)
	}
	most, err := mostAllocations(out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, out)
	}
	target := bound{atMost: true}
	return []row{{measured: name, here: strconv.FormatInt(most, 10), target: target.judge(float64(most))}}, nil
}

// mostAllocations finds the largest allocs/op that go test printed.
func mostAllocations(out []byte) (int64, error) {
	most := int64(-1)
	for line := range bytes.Lines(out) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		for i, unit := range fields {
			if unit != "allocs/op" {
				continue
			}
			n, err := strconv.ParseInt(fields[i-1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("parse allocations: %w", err)
			}
			most = max(most, n)
		}
	}
	if most < 0 {
		return 0, errors.New("no benchmark result")
	}
	return most, nil
}
