package operator

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
	r.Events.Eventf(state.network, nil, kind, reason, action, "%s", message)
}
