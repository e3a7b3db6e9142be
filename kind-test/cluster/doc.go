// Package cluster makes a kind cluster for tests, gives them its tools, and writes down
// what goes on in it. Clusters do not get in each other's way: each has a name, a
// kubeconfig and images of its own.
package cluster
