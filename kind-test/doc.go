// Command kind-test runs the tests of package e2e on a Kubernetes cluster: `make kind-test`.
//
// It needs Docker on Linux, and for the clients outside of the cluster Node, npm, Chromium and certutil. It builds kind and Helm from source in
// the versions of tools, and takes kubectl from the node image. The cluster has two nodes and
// a kubeconfig of its own, and is removed at the end, whether the tests pass, fail,
// hang, or are interrupted. If they fail, what was going on in the cluster is written into a
// folder first.
//
// Variables:
//
//	KIND_NODE_IMAGE  the node image; the pinned kind's by default
//	KIND_CONFIG      the cluster's configuration; kind-test/cluster.yaml by default
//	CLUSTER          name of the cluster; a new one by default. One that is there already is used, and stays
//	KEEP=1           keeps the cluster, and says how to use and how to remove it
//	RUN              tests to run, as `go test -run` takes them; all by default
package main
