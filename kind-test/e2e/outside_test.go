//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
	"github.com/peerexchange/peerexchange/test/outside"
)

// Clients that nobody here wrote start from what a network publishes: they meet through
// different seeds, and relay through the TURN addresses that the seeds tell.
func TestOutside(t *testing.T) {
	t.Parallel()
	n := newSpace(t).network("demo", `{exposure: {type: NodePort}, transports: [wss, tls, ws], drainSeconds: 5}`)
	seen := n.seenFromOutside()
	seen.AwaitDocuments(t) // for those that RUN chooses
	t.Run("Document", func(t *testing.T) { outside.Document(t, seen) })
	t.Run("Check", func(t *testing.T) { outside.Check(t, seen, n.seedProgram()) })
	t.Run("Meet", func(t *testing.T) { outside.Meet(t, seen) })
	t.Run("Programs", func(t *testing.T) { outside.Programs(t, seen) })
	t.Run("Relay", func(t *testing.T) { outside.Relay(t, seen) })
}

// seenFromOutside is all that applications are told of the network.
func (n *network) seenFromOutside() outside.Network {
	n.t.Helper()
	seen := outside.Network{ID: n.id, CAFile: n.caFile(), Key: n.key()}
	for _, seed := range n.settled().Status.Seeds {
		seen.Seeds = append(seen.Seeds, seed.Addresses)
	}
	lab, err := clients.NewLab(clients.Config{Network: n.id, CAFile: seen.CAFile, Node: n.nodeElsewhere()})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			n.t.Error(err)
		}
	})
	seen.Lab = lab
	return seen
}

// nodeElsewhere starts Node in containers beside the cluster's nodes, with the files of this
// machine: each has an address of its own, as people have who are not in one room. They are
// removed after the test.
func (n *network) nodeElsewhere() func(ctx context.Context, dir string, variables []string, args ...string) *exec.Cmd {
	t := n.t
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	image, err := kind.Output(t.Context(), "docker", "inspect", "--format", "{{.Config.Image}}", kind.Name+"-control-plane")
	if err != nil {
		t.Fatal(err)
	}
	label := "peerexchange.test=" + n.id
	t.Cleanup(func() {
		// The end of docker run is not that of its container.
		ctx, cancel := context.WithTimeout(context.Background(), afterTime)
		defer cancel()
		left, err := kind.Output(ctx, "docker", "ps", "--all", "--quiet", "--filter", "label="+label)
		if err != nil {
			t.Error(err)
		}
		for _, id := range strings.Fields(left) {
			_, _ = kind.Output(ctx, "docker", "rm", "--force", id) // one that just ends removes itself
		}
	})
	return func(ctx context.Context, dir string, variables []string, args ...string) *exec.Cmd {
		run := []string{"run", "--rm", "--label", label, "--interactive", "--network", "kind", "--volume", "/:/host:ro", "--entrypoint", "chroot"}
		for _, variable := range variables {
			run = append(run, "--env", variable)
		}
		run = append(run, strings.TrimSpace(image), "/host", "env", "--chdir="+dir, node)
		return exec.CommandContext(ctx, "docker", append(run, args...)...)
	}
}

// seedProgram builds cmd/seed, for its check.
func (n *network) seedProgram() string {
	n.t.Helper()
	path := filepath.Join(n.t.TempDir(), "seed")
	n.run("go", "build", "-o", path, "./cmd/seed")
	return path
}
