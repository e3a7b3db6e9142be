package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Cluster is a kind cluster that is there.
type Cluster struct {
	// Name is the one that kind knows it by, and the tag of its images.
	Name string

	root   string   // of the repository
	dir    string   // of this cluster's files
	extras []string // variables for programs, beside those of this process
}

// cache is where files of clusters and their tools are, below the repository's root.
const cache = ".cache/kind-test"

func newCluster(root, name string) *Cluster {
	c := &Cluster{Name: name, root: root, dir: filepath.Join(root, cache, name)}
	c.extras = []string{
		"KUBECONFIG=" + c.Kubeconfig(),
		"KIND_CLUSTER_NAME=" + name,
		"PATH=" + strings.Join([]string{c.bin(), filepath.Join(root, cache, "bin"), os.Getenv("PATH")}, string(filepath.ListSeparator)),
		variableName + "=" + name,
		variableRoot + "=" + root,
	}
	return c
}

// Kubeconfig is a file for clients that may do everything. Its namespace is "default".
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

// Root is the folder of the repository.
func (c *Cluster) Root() string { return c.root }

// DumpDir is where to write what went on in the cluster when a test fails.
func (c *Cluster) DumpDir() string { return filepath.Join(c.dir, "failed") }

// bin has the programs that are of the cluster's version.
func (c *Cluster) bin() string { return filepath.Join(c.dir, "bin") }

// Config says how to make a cluster.
type Config struct {
	// Root is the folder of the repository.
	Root string
	// Name is that of the cluster. One that is there is used as it is.
	Name string
	// NodeImage is what nodes run; empty is the default of kind.
	NodeImage string
	// File has kind's configuration.
	File string
}

// Create makes a cluster of two nodes that both run pods, with the images of seed and operator
// on them. Whoever calls it calls Delete, also if it fails; created tells whether
// there is something new to delete.
func Create(ctx context.Context, config Config, progress *Progress) (c *Cluster, created bool, err error) {
	c = newCluster(config.Root, config.Name)
	if err := os.MkdirAll(c.bin(), 0o755); err != nil {
		return c, false, err
	}
	if err := c.buildTools(ctx, progress); err != nil {
		return c, false, err
	}
	clusters, err := c.Output(ctx, "kind", "get", "clusters")
	if err != nil {
		return c, false, err
	}
	created = !slices.Contains(strings.Fields(clusters), c.Name)
	if created {
		args := []string{"create", "cluster", "--name", c.Name, "--config", config.File, "--wait", "3m"}
		if config.NodeImage != "" {
			args = append(args, "--image", config.NodeImage)
		}
		progress.Step("create the cluster %s: about a minute, more if the node image has to be fetched", c.Name)
		if _, err := c.Output(ctx, "kind", args...); err != nil {
			return c, created, err
		}
	} else if _, err := c.Output(ctx, "kind", "export", "kubeconfig"); err != nil {
		return c, created, err
	}
	if err := c.copyKubectl(ctx); err != nil {
		return c, created, err
	}
	// Seeds are to be on two nodes.
	if _, err := c.Kubectl(ctx, "patch", "node", c.Name+"-control-plane", "--type=merge", "--patch", `{"spec":{"taints":null}}`); err != nil {
		return c, created, err
	}
	return c, created, c.loadImages(ctx, progress)
}

// copyKubectl takes it from a node: it is of the right version, and a static program.
func (c *Cluster) copyKubectl(ctx context.Context) error {
	_, err := c.Output(ctx, "docker", "cp", c.Name+"-control-plane:/usr/bin/kubectl", filepath.Join(c.bin(), "kubectl"))
	return err
}

// Delete removes the cluster, its images, and its files but for those in DumpDir.
func (c *Cluster) Delete(ctx context.Context) error {
	if _, err := c.Output(ctx, "kind", "delete", "cluster", "--name", c.Name); err != nil {
		return fmt.Errorf("%w\nthe cluster may be left: remove it with kind delete cluster --name %s", err, c.Name)
	}
	c.removeImages(ctx)
	for _, gone := range []string{c.bin(), c.Kubeconfig()} {
		if err := os.RemoveAll(gone); err != nil {
			return err
		}
	}
	os.Remove(c.dir) // unless something is in it
	return nil
}
