// Package resources says what the objects of a PeerNetwork are to be: pure
// functions from the network, and what was decided about it, to apply configurations.
//
// They have the fields that the operator owns and no others, so that what others
// add (annotations of a Service, node ports) survives each apply. The same input gives
// the same bytes. What seeds read again when it changes, which are certificates, TURN
// and mesh secrets, tokens and the bootstrap document, is mounted under names that do
// not change and is no part of the pod template: a change of it restarts nothing.
package resources
