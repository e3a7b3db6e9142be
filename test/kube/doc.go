// Package kube runs a real API server for tests: kube-apiserver and etcd from the
// folder that KUBEBUILDER_ASSETS names, which `make test-apiserver` sets and fills.
// There are no controllers, nodes or pods in it but those that a test writes.
package kube
