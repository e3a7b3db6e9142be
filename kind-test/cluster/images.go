package cluster

import (
	"context"
)

var programs = []string{"seed", "operator"}

func (c *Cluster) image(program string) string { return "peerexchange-" + program + ":" + c.Name }

// loadImages builds the images of this repository's programs and puts them on the nodes.
func (c *Cluster) loadImages(ctx context.Context, progress *Progress) error {
	progress.Step("build the images of seed and operator, and load them")
	args := []string{"load", "docker-image", "--name", c.Name}
	for _, program := range programs {
		if _, err := c.Output(ctx, "make", "-C", c.root, "image", "PROGRAM="+program, "IMAGE="+c.image(program)); err != nil {
			return err
		}
		args = append(args, c.image(program))
	}
	_, err := c.Output(ctx, "kind", args...)
	return err
}

// removeImages removes them from this machine.
func (c *Cluster) removeImages(ctx context.Context) {
	for _, program := range programs {
		_, _ = c.Output(ctx, "docker", "image", "rm", c.image(program)) // it may never have been built
	}
}

// ChartValues are arguments for Helm by which the chart has the images that are on the nodes.
func (c *Cluster) ChartValues() []string {
	return []string{"--set", "image.tag=" + c.Name, "--set", "seedImage.tag=" + c.Name}
}
