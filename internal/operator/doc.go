// Package operator makes the cluster what PeerNetworks say, and says in their status
// how far it is.
//
// A reconcile is a list of phases: it sees that the spec can be done, observes pods,
// nodes and Services, decides on the number of seeds, sees to secrets and the
// certificate, applies the objects of package resources, reaches the seeds at their
// addresses, publishes what it reached, and writes the status once, at the end. The
// first phase that fails ends it, and the status says why.
//
// Everything is written by server-side apply with one field owner, and only if it
// would change something, so that a reconcile of a network that is as it should be
// writes nothing.
package operator
