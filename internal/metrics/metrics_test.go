package metrics

import (
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

type counts struct {
	sync.Mutex
	in, out float64
}

var table = []Metric[*counts]{
	{
		Name: "tool_bytes_total", Kind: prometheus.CounterValue, Help: "What passed.",
		Labels: []Label{{Name: "direction", Values: []string{"in", "out"}}, {Name: "name"}},
		Read: func(c *counts, tell Tell) {
			tell(c.in, "in", "a")
			tell(c.out, "out", "a")
		},
	},
	{
		Name: "tool_info", Kind: prometheus.GaugeValue, Help: "Always 1.",
		Labels: []Label{{Name: "version", From: "of the tool"}},
		Read:   func(_ *counts, tell Tell) { tell(1, "v1") },
	},
}

func (c *counts) scrape(read func(*counts)) {
	c.Lock()
	defer c.Unlock()
	read(c)
}

func TestCollector(t *testing.T) {
	c := NewCollector(table, (&counts{in: 3, out: 4}).scrape)
	problems, err := testutil.CollectAndLint(c)
	if err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
	if n := testutil.CollectAndCount(c); n != 3 {
		t.Errorf("collected %d values, want 3", n)
	}
}

// Who takes the values may take its time, and the program goes on meanwhile.
func TestNothingIsLockedWhileValuesAreSent(t *testing.T) {
	source := new(counts)
	values := make(chan prometheus.Metric)
	go func() {
		defer close(values)
		NewCollector(table, source.scrape).Collect(values)
	}()
	for range values {
		if !source.TryLock() {
			t.Error("locked")
			continue
		}
		source.Unlock()
	}
}

func TestDocument(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Table(table), "| name | type | labels | |\n|---|---|---|---|\n" +
			"| `tool_bytes_total` | counter | `direction`, `name` | What passed. |\n" +
			"| `tool_info` | gauge | `version` | Always 1. |\n"},
		{Values(table), "- `tool_bytes_total`, `direction`: `in`, `out`\n- `tool_info`, `version`: of the tool\n"},
	} {
		if c.got != c.want {
			t.Errorf("got\n%s\nwant\n%s", c.got, c.want)
		}
	}
}
