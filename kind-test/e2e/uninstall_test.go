//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
)

// Whoever uninstalls the chart has nothing left of it and of its network, but for the
// definition of PeerNetworks.
func TestUninstall(t *testing.T) {
	t.Parallel()
	s := newNamespace(t)
	before := s.everything()
	args := []string{"install", release, "deploy/helm/peer-exchange", "--namespace", s.namespace, "--wait", "--timeout", "3m",
		"--set", "network.enabled=true", "--set", "network.name=demo", "--set", "network.id=" + s.namespace,
		"--set", "network.spec.drainSeconds=5", "--set", "metrics.dashboard.enabled=true"}
	s.run("helm", append(args, kind.ChartValues()...)...)
	(&network{space: s, name: "demo", id: s.namespace}).settled()
	t.Logf("%s", s.run("helm", "test", release, "--namespace", s.namespace))
	if during := s.everything(); len(during) <= len(before) {
		t.Fatalf("nothing is there that could be left: %v", during)
	}

	s.run("helm", "uninstall", release, "--namespace", s.namespace, "--wait")
	var left []string
	for _, object := range s.everything() {
		if !slices.Contains(before, object) {
			left = append(left, object)
		}
	}
	// The seeds drain, and what belongs to the network goes after it: this waits for all of it.
	if len(left) > 0 {
		s.kubectl(append([]string{"wait", "--for=delete", "--timeout=2m"}, left...)...)
	}
	if after := s.everything(); !slices.Equal(after, before) {
		t.Errorf("before the chart was installed there was\n%s\nand after it was removed there is\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	s.kubectl("get", "crd", "peernetworks.peerexchange.dev")
}

// everything is what there is in the namespace, and of its releases in the cluster. Events
// are not counted: they tell of what was.
func (s *space) everything() []string {
	s.t.Helper()
	list := func(scoped string, args ...string) []string {
		kinds := strings.Fields(s.kubectl("api-resources", "--verbs=list,delete", "--output=name", scoped))
		kinds = slices.DeleteFunc(kinds, func(kind string) bool { return strings.HasPrefix(kind, "events") })
		return strings.Fields(s.kubectl(append([]string{"get", strings.Join(kinds, ","), "--output=name", "--ignore-not-found"}, args...)...))
	}
	all := list("--namespaced=true")
	for _, object := range list("--namespaced=false") {
		if strings.Contains(object, "/"+s.namespace+"-") { // as the chart names them
			all = append(all, object)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
