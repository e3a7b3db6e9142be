//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

const (
	// stepTime bounds everything that a test waits for.
	stepTime = 4 * time.Minute
	// afterTime bounds what is done after a test.
	afterTime = time.Minute
	// release is the name of Helm's release in each namespace.
	release = "operator"
)

// space is a namespace, with an operator that sees to it.
type space struct {
	t         *testing.T
	namespace string
	client    client.WithWatch
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// newSpace makes a namespace named after the test, and installs the chart in it with
// these values (key=value).
func newSpace(t *testing.T, values ...string) *space {
	t.Helper()
	s := newNamespace(t)
	args := append([]string{"install", release, "deploy/helm/peer-exchange", "--namespace", s.namespace, "--wait", "--timeout", "3m",
		"--set", "resources.requests.cpu=10m"}, kind.ChartValues()...)
	for _, value := range values {
		args = append(args, "--set", value)
	}
	s.run("helm", args...)
	return s
}

// newNamespace makes one without an operator.
func newNamespace(t *testing.T) *space {
	t.Helper()
	s := &space{t: t, namespace: strings.Trim(notInNames.ReplaceAllString(strings.ToLower(t.Name()), "-"), "-"), client: newClient(t)}
	// A cluster that is kept may have something left of an earlier run.
	s.run("helm", "uninstall", release, "--namespace", s.namespace, "--ignore-not-found", "--wait")
	s.run("kubectl", "delete", "namespace", s.namespace, "--ignore-not-found")
	s.run("kubectl", "create", "namespace", s.namespace)
	t.Cleanup(s.leave)
	return s
}

func newClient(t *testing.T) client.WithWatch {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kind.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1.AddToScheme} {
		if err := add(known); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: known})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// leave writes down what went wrong, and removes what there is. The namespace takes its
// time to go, which nobody waits for.
func (s *space) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), afterTime)
	defer cancel()
	if s.t.Failed() {
		dir, err := kind.Dump(ctx, s.t.Name(), s.namespace)
		s.t.Logf("what went on in the namespace %s is in %s (%v)", s.namespace, dir, err)
	}
	if os.Getenv("KEEP") != "" && s.t.Failed() {
		return
	}
	for _, command := range [][]string{
		{"helm", "uninstall", release, "--namespace", s.namespace, "--ignore-not-found", "--wait"},
		{"kubectl", "delete", "namespace", s.namespace, "--wait=false"},
	} {
		if _, err := kind.Output(ctx, command[0], command[1:]...); err != nil {
			s.t.Errorf("after the test: %v", err)
		}
	}
}

// run runs a program in the folder of the repository, and returns its output.
func (s *space) run(name string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), stepTime)
	defer cancel()
	output, err := kind.Output(ctx, name, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return output
}

// kubectl runs kubectl in the namespace, and returns its output.
func (s *space) kubectl(args ...string) string {
	s.t.Helper()
	return s.run("kubectl", append([]string{"--namespace", s.namespace}, args...)...)
}

// apply applies manifests in the namespace.
func (s *space) apply(manifests string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), stepTime)
	defer cancel()
	if err := kind.Apply(ctx, s.namespace, manifests); err != nil {
		s.t.Fatal(err)
	}
}

// file writes a file that is there as long as the test.
func (s *space) file(name string, content []byte) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}
