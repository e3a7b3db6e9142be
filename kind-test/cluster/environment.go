package cluster

import (
	"errors"
	"os"
	"slices"
)

// Variables by which tests find their cluster.
const (
	variableName = "KIND_TEST_CLUSTER"
	variableRoot = "KIND_TEST_ROOT"
)

// FromEnvironment is the cluster that tests were started for.
func FromEnvironment() (*Cluster, error) {
	name, root := os.Getenv(variableName), os.Getenv(variableRoot)
	if name == "" || root == "" {
		return nil, errors.New("there is no cluster: run make kind-test")
	}
	return newCluster(root, name), nil
}

// Environment is that of programs which work with the cluster: kubectl, helm and kind are
// found, and have this cluster for their default.
func (c *Cluster) Environment() []string { return slices.Concat(os.Environ(), c.extras) }
