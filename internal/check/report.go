package check

// Report is what a check found. Its JSON is for programs: fields may be added,
// and neither taken away nor changed, but for the wording of details and hints.
type Report struct {
	// URL is the seed's address as clients take it.
	URL string `json:"url"`
	// Network is the network ID, given or asked for; empty if it is not known.
	Network string `json:"network,omitempty"`
	// Agent is what the seed says that it is; empty if it did not.
	Agent string `json:"agent,omitempty"`
	// OK tells that no step has failed.
	OK bool `json:"ok"`
	// Steps are all of them, in the order in which they were tried.
	Steps []Step `json:"steps"`
}

// Count is how many steps there are with a result.
func (r Report) Count(result Result) int {
	n := 0
	for _, s := range r.Steps {
		if s.Result == result {
			n++
		}
	}
	return n
}
