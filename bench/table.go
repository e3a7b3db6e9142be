package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// row is a line of the table. Empty cells are shown as a dash.
type row struct {
	measured string
	here     string
	npm      string // or what else it is compared with
	ratio    string
	target   string
}

// printTable writes the rows in columns.
func printTable(w io.Writer, rows []row) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "measured\there\tnpm\tratio\ttarget")
	for _, r := range rows {
		cells := []string{r.measured, r.here, r.npm, r.ratio, r.target}
		for i, cell := range cells {
			if cell == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(out, strings.Join(cells, "\t"))
	}
	return out.Flush()
}

// bound is a target. Zero means that there is none: the row is for comparison.
type bound struct {
	value  float64
	atMost bool // otherwise at least
	unit   string
}

// judge says what the target is and whether it was met.
func (b bound) judge(got float64) string {
	if b == (bound{}) {
		return ""
	}
	sign, met := "≥", got >= b.value
	if b.atMost {
		sign, met = "≤", got <= b.value
	}
	verdict := "met"
	if !met {
		verdict = "MISSED"
	}
	return fmt.Sprintf("%s %g%s %s", sign, b.value, b.unit, verdict)
}

// grouped writes a count with its thousands apart.
func grouped(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
