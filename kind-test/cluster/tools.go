package cluster

import (
	"context"
	"path/filepath"
)

// buildTools builds kind and Helm in their pinned versions, which is at once if they are
// in Go's build cache.
func (c *Cluster) buildTools(ctx context.Context, progress *Progress) error {
	progress.Step("build kind and Helm: the first time some minutes, then at once")
	for module, program := range map[string]string{"kind": "sigs.k8s.io/kind", "helm": "helm.sh/helm/v3/cmd/helm"} {
		target := filepath.Join(c.root, cache, "bin") + string(filepath.Separator)
		if _, err := c.Output(ctx, "go", "build", "-C", filepath.Join(c.root, "tools", module), "-o", target, program); err != nil {
			return err
		}
	}
	return nil
}
