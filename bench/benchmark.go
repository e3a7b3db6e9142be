package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
)

// benchmark makes the rows of the table.
type benchmark struct {
	servers *servers
	plan    plan
	only    *regexp.Regexp // rows to be made
	log     io.Writer      // says what goes on
	verbose bool           // and what each measurement gave

	disturbed float64 // the largest part of a core that other programs used during a measurement
}

// rows returns what was measured even if something failed after it.
func (b *benchmark) rows(ctx context.Context) ([]row, error) {
	var rows []row
	measure := func(part func(context.Context) ([]row, error)) error {
		more, err := part(ctx)
		rows = append(rows, more...)
		return err
	}
	// Copying data needs both cores in this process, the generator keeps off the servers' one.
	err := b.servers.split.Aside(func() error {
		if err := measure(b.rates); err != nil {
			return err
		}
		if err := measure(b.memory); err != nil {
			return err
		}
		return measure(b.attack)
	})
	if err == nil {
		err = measure(b.data)
	}
	if err == nil {
		err = measure(b.allocations)
	}
	if b.disturbed > disturbing {
		fmt.Fprintf(b.log, "bench: other programs used up to %.0f%% of a core meanwhile; ratios are to be relied on from an idle machine\n",
			100*b.disturbed)
	}
	return rows, err
}

// disturbing is the part of a core that other programs may use before the table comes with a warning.
const disturbing = 0.15

// wants tells whether a row is to be made.
func (b *benchmark) wants(name string) bool {
	if !b.only.MatchString(name) {
		return false
	}
	fmt.Fprintln(b.log, "bench:", name)
	return true
}

func (b *benchmark) say(format string, args ...any) {
	if b.verbose {
		fmt.Fprintf(b.log, "bench:   "+format+"\n", args...)
	}
}
