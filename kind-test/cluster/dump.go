package cluster

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// Dump writes what goes on in a namespace, or in all if it is empty, into a folder of
// DumpDir, and returns it. Secrets are not in it. What cannot be had is said in
// the file that it would be in.
func (c *Cluster) Dump(ctx context.Context, name, namespace string) (string, error) {
	dir := filepath.Join(c.DumpDir(), strings.ReplaceAll(name, "/", "-"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	d := dump{c, ctx, dir}
	scope := []string{"--namespace", namespace}
	if namespace == "" {
		scope = []string{"--all-namespaces"}
		d.write("nodes.txt", "describe", "nodes")
	}
	d.write("objects.txt", append(scope, "get", "pods,services,statefulsets,deployments,poddisruptionbudgets,networkpolicies", "--output", "wide")...)
	d.write("events.txt", append(scope, "get", "events", "--sort-by", ".lastTimestamp")...)
	d.write("networks.yaml", append(scope, "get", "peernetworks", "--output", "yaml")...)
	d.write("networks.txt", append(scope, "describe", "peernetworks")...)
	d.write("configmaps.yaml", append(scope, "get", "configmaps", "--selector", "peerexchange.dev/network", "--output", "yaml")...)
	d.write("pods.txt", append(scope, "describe", "pods")...)
	d.logs(scope)
	return dir, nil
}

type dump struct {
	c   *Cluster
	ctx context.Context
	dir string
}

func (d dump) write(file string, args ...string) {
	output, err := d.c.Kubectl(d.ctx, args...)
	if err != nil {
		output += "\n" + err.Error() + "\n"
	}
	_ = os.WriteFile(filepath.Join(d.dir, file), []byte(output), 0o644) // a failed test has more to say than this
}

// logs are those of every container, and of the one before it if there was one.
func (d dump) logs(scope []string) {
	const each = `{range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{" "}{.status.containerStatuses[*].restartCount}{"\n"}{end}`
	pods, err := d.c.Kubectl(d.ctx, append(scope, "get", "pods", "--output", "jsonpath="+each)...)
	if err != nil {
		return // pods.txt says why
	}
	for line := range strings.Lines(pods) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] == "kube-system" || fields[0] == "local-path-storage" {
			continue
		}
		args := []string{"--namespace", fields[0], "logs", fields[1], "--all-containers", "--timestamps"}
		file := fields[0] + "." + fields[1]
		d.write(file+".log", args...)
		if restarts := strings.Join(fields[2:], ""); strings.Trim(restarts, "0") != "" {
			d.write(file+".previous.log", append(args, "--previous")...)
		}
	}
}
