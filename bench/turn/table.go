package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// row is a line of the table: microseconds for a message, and the ratio of the first two.
type row struct {
	load               string
	here, coturn, pion float64
	ratio, limit       float64
}

func printTable(w io.Writer, rows []row) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "CPU for a relayed message\there\tcoturn\tpion/turn\there/coturn\ttarget")
	for _, r := range rows {
		verdict := "met"
		if r.ratio > r.limit {
			verdict = "MISSED"
		}
		fmt.Fprintf(out, "%s\t%.2f µs\t%.2f µs\t%.2f µs\t%.2fx\t≤ %gx %s\n", r.load, r.here, r.coturn, r.pion, r.ratio, r.limit, verdict)
	}
	return out.Flush()
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
