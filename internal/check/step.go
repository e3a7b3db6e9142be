package check

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Result is what came of a step.
type Result string

// Results of a step.
const (
	// OK is a step that works.
	OK Result = "ok"
	// Warning is a step that works, with something to look at: see Step.Hint.
	Warning Result = "warning"
	// Failed is a step that does not work.
	Failed Result = "failed"
	// NotTried is a step that there is no sense in trying, or that was left out:
	// see Step.Detail.
	NotTried Result = "not-tried"
)

// Step is one thing that was tried.
type Step struct {
	// Name is one of those that [Steps] lists.
	Name   string
	Result Result
	// Duration is how long it took; zero if it was not tried.
	Duration time.Duration
	// Detail is what was found, or what went wrong, in one line for people.
	Detail string
	// Hint is what to look at, for people; empty if there is nothing.
	Hint string

	// moot tells that a step was not tried since there is nothing to try, and that
	// those which need it can do without.
	moot bool
	// root is what has to work before the step can be tried.
	root string
}

// MarshalJSON implements json.Marshaler. The duration is in milliseconds.
func (s Step) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name         string  `json:"name"`
		Result       Result  `json:"result"`
		Milliseconds float64 `json:"milliseconds"`
		Detail       string  `json:"detail"`
		Hint         string  `json:"hint,omitempty"`
	}{s.Name, s.Result, math.Round(s.Duration.Seconds()*1e5) / 100, s.Detail, s.Hint})
}

func ok(format string, args ...any) Step {
	return Step{Result: OK, Detail: fmt.Sprintf(format, args...)}
}

func warning(hint, format string, args ...any) Step {
	return Step{Result: Warning, Detail: fmt.Sprintf(format, args...), Hint: hint}
}

func failed(hint, format string, args ...any) Step {
	return Step{Result: Failed, Detail: fmt.Sprintf(format, args...), Hint: hint}
}

// notTried is a step that could not be tried, and on which others wait in vain.
func notTried(format string, args ...any) Step {
	return Step{Result: NotTried, Detail: fmt.Sprintf(format, args...)}
}

// moot is a step without anything to try.
func moot(format string, args ...any) Step {
	s := notTried(format, args...)
	s.moot = true
	return s
}

// passable tells whether steps that need this one can be tried.
func (s Step) passable() bool { return s.Result == OK || s.Result == Warning || s.moot }
