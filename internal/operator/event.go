package operator

import (
	"fmt"
	"strings"
)

// noteLimit is how many bytes an event may say. The API server refuses those that say
// more (NoteLengthLimit of k8s.io/kubernetes/pkg/apis/core/validation/events.go).
const noteLimit = 1024

// event tells a person of what was done, once the phases are over: those that are done
// again tell twice.
func (r *Reconciler) event(state *run, kind, reason, action, message string) {
	state.events = append(state.events, func() { r.record(state, kind, reason, action, message) })
}

// afterStatus is for what is found by the status, and would be found again by the next
// reconcile: it is done when the status has it.
func (r *Reconciler) afterStatus(state *run, do func()) {
	state.afterStatus = append(state.afterStatus, do)
}

func (r *Reconciler) record(state *run, kind, reason, action, message string) {
	r.Events.Eventf(state.network, nil, kind, reason, action, "%s", cut(message, noteLimit))
}

// listed names as many of all as there is room for in that many bytes, and how many
// there are more.
func listed(all []string, separator string, most int) string {
	for n := len(all); n > 0; n-- {
		text := strings.Join(all[:n], separator)
		if more := len(all) - n; more > 0 {
			text += fmt.Sprintf("%sand %d more", separator, more)
		}
		if len(text) <= most {
			return text
		}
	}
	return cut(strings.Join(all, separator), most)
}

// cut is the beginning of a text, in that many bytes.
func cut(text string, most int) string {
	const dots = "…"
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len(dots)], "") + dots // what is left of a character that was cut is none
}
