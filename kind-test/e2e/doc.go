// Package e2e tests networks on a Kubernetes cluster, with all clients outside of it.
// The tests have the build tag e2e, and `make kind-test` runs them on a cluster that it makes.
//
// A test has a namespace to itself, with an operator of its own ([newSpace]), and in it
// PeerNetworks (space.network), so that tests run beside each other. What goes on in the
// namespace of a test that failed is written down before it is removed.
package e2e
