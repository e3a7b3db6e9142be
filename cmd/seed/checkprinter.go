package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/peerexchange/peerexchange/internal/check"
)

// checkPrinter writes what seed check finds for people, step by step.
type checkPrinter struct {
	w     io.Writer
	style checkStyle

	untried []check.Step // which are told together, as they have one reason
	hint    string       // the last one: it is not told twice
}

// checkStyle is what the other end of the output can show.
type checkStyle struct{ color, unicode bool }

// styleOf finds out what a file can show: color is for terminals, unless NO_COLOR
// says otherwise (no-color.org).
func styleOf(out *os.File, getenv func(string) string) checkStyle {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	locale := getenv("LANG")
	for _, name := range []string{"LC_CTYPE", "LC_ALL"} { // a later one wins
		if value := getenv(name); value != "" {
			locale = value
		}
	}
	locale = strings.ToLower(strings.ReplaceAll(locale, "-", ""))
	return checkStyle{
		color:   terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb",
		unicode: strings.Contains(locale, "utf8"),
	}
}

// marks of results, for those who can see them and others, and their colors.
var marks = map[check.Result]struct{ unicode, ascii, color string }{
	check.OK:       {"✓", "ok", "32"},
	check.Warning:  {"!", "!", "33"},
	check.Failed:   {"✗", "FAIL", "31"},
	check.NotTried: {"–", "-", "2"},
}

// checkWidth is how wide hints are; details are one line, whatever their length.
const checkWidth = 100

// mark is a result, in a column of its own.
func (p *checkPrinter) mark(result check.Result) string {
	m := marks[result]
	text := fmt.Sprintf("%-4s", m.ascii)
	if p.style.unicode {
		text = m.unicode
	}
	return p.paint(m.color, text)
}

func (p *checkPrinter) paint(color, text string) string {
	if !p.style.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// step prints one step, and below it what to look at.
func (p *checkPrinter) step(s check.Step) {
	if len(p.untried) > 0 && (s.Result != check.NotTried || s.Detail != p.untried[0].Detail) {
		p.flush()
	}
	if s.Result == check.NotTried {
		p.untried = append(p.untried, s)
		return
	}
	p.line(s, s.Detail)
	if s.Hint == p.hint {
		return
	}
	p.hint = s.Hint
	for _, line := range wrap(s.Hint, checkWidth-6) {
		fmt.Fprintf(p.w, "      %s\n", line)
	}
}

// flush prints the steps that were not tried.
func (p *checkPrinter) flush() {
	if len(p.untried) == 0 {
		return
	}
	first, last := p.untried[0], p.untried[len(p.untried)-1]
	what := "not tried: "
	switch n := len(p.untried); {
	case n == 2:
		what = fmt.Sprintf("not tried, nor %s: ", last.Name)
	case n > 2:
		what = fmt.Sprintf("not tried, nor the %d after it, to %s: ", n-1, last.Name)
	}
	p.line(first, p.paint("2", what+first.Detail))
	p.untried = nil
}

// line prints a step's columns.
func (p *checkPrinter) line(s check.Step, detail string) {
	width := 0
	for _, help := range check.Steps() {
		width = max(width, len(help.Name))
	}
	fmt.Fprintf(p.w, "%s %-*s %8s  %s\n", p.mark(s.Result), width, s.Name, shortly(s), detail)
}

// shortly is how long a step took, in four figures or less.
func shortly(s check.Step) string {
	switch d := s.Duration; {
	case s.Result == check.NotTried:
		return ""
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}

// verdict prints the last line.
func (p *checkPrinter) verdict(r check.Report) {
	p.flush()
	good := r.Count(check.OK) + r.Count(check.Warning)
	parts := []string{fmt.Sprintf("%d of %d steps work", good, len(r.Steps))}
	add := func(result check.Result, what string) {
		if n := r.Count(result); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(check.Warning, "of them with a warning")
	add(check.Failed, "failed")
	add(check.NotTried, "not tried")
	result, who := check.OK, r.URL
	if !r.OK {
		result = check.Failed
	}
	fmt.Fprintf(p.w, "\n%s %s: %s.\n", p.mark(result), who, strings.Join(parts, ", "))
}

// wrap breaks a text into lines between words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
