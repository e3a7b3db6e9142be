//go:build chart

package helm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/peerexchange/peerexchange/test/generated"
	"github.com/peerexchange/peerexchange/test/schema"
)

// helm runs the pinned Helm, and returns what it prints.
func helm(ctx context.Context, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", append([]string{"tool", "-modfile=../../tools/helm/go.mod", "helm"}, args...)...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return out, fmt.Errorf("helm %s: %w\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return out, nil
}

func template(ctx context.Context, args ...string) ([]byte, error) {
	return templateAs(ctx, "seeds", args...)
}

func templateAs(ctx context.Context, release string, args ...string) ([]byte, error) {
	return helm(ctx, append([]string{"template", release, chart, "--namespace", "peers", "--kube-version", "1.34.0"}, args...)...)
}

// For each file of values in testdata there is a golden file of the manifests; each of
// these is an object of Kubernetes without unknown fields, or a PeerNetwork that the API
// server takes. `make chart UPDATE=1` writes them.
func TestManifests(t *testing.T) {
	networks, err := schema.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("testdata/*.values.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if out, err := helm(t.Context(), "lint", "--strict", "--quiet", "--kube-version", "1.34.0", chart, "--values", path); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			manifests, err := template(t.Context(), "--values", path)
			if err != nil {
				t.Fatal(err)
			}
			for document := range strings.SplitSeq(string(manifests), "\n---\n") {
				decode(t, networks, strings.TrimPrefix(document, "---\n"))
			}
			generated.File(t, strings.TrimSuffix(path, ".values.yaml")+".golden.yaml", manifests)
		})
	}
}

// Values that make no sense are refused, with what is wrong.
func TestRefusedValues(t *testing.T) {
	for set, want := range map[string]string{
		"replica=2":                           "replica",
		"image.repo=a":                        "repo",
		"metrics.serviceMonitor.intervall=1m": "intervall",
		"network.networkID=a":                 "networkID",
		"logLevel=loud":                       "logLevel",
		"replicas=-1":                         "replicas",
		"image.digest=abc":                    "digest",
		"namespaces={*,other}":                "namespaces",
		"network.enabled=true":                "id",
		"network.enabled=true,network.id=":    "id",
		"network.name=4chan":                  "name",
		"metrics.dashboard=null":              "dashboard",
		"metrics.enabled=false,metrics.serviceMonitor.enabled=true":            "there is nothing to scrape with metrics.enabled=false",
		"network.id=a,network.enabled=true,network.spec=null":                  "missing property 'spec'",
		"network.id=a,network.enabled=true,network.spec.exposure.typ=NodePort": "at '/network/spec/exposure': additional properties 'typ' not allowed",
		"network.id=a,network.enabled=true,network.spec.exposure.type=Ingress": "value must be one of 'ClusterIP', 'NodePort', 'LoadBalancer', 'HostPort'",
		"network.id=a,network.enabled=true,network.spec.replicas=65":           "at '/network/spec/replicas': maximum",
		"network.id=a,network.enabled=true,network.spec.networkID=b":           "give it as network.id",
		"network.id=a,network.enabled=true,namespaces={other}":                 "namespaces does not have peers",
	} {
		if _, err := template(t.Context(), "--set", set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--set %s: %v, want something about %s", set, err, want)
		}
	}
}

// A release may have a name that a PeerNetwork cannot.
func TestRefusedNames(t *testing.T) {
	for _, release := range []string{"4chan", "seeds.example", "seeds-of-a-network-with-a-long-name-in-production"} {
		if _, err := templateAs(t.Context(), release, "--set", "network.enabled=true,network.id=a"); err == nil || !strings.Contains(err.Error(), "network.name is missing: the release's name, "+release+", is no name of a PeerNetwork") {
			t.Errorf("release %s: %v", release, err)
		}
		if _, err := templateAs(t.Context(), release, "--set", "network.enabled=true,network.id=a,network.name=demo"); err != nil {
			t.Errorf("release %s with a name for the network: %v", release, err)
		}
	}
}

// What is said after the installation is so, and is what to do next.
func TestNotes(t *testing.T) {
	const inside, own, test, token = "from inside the cluster only", "operator's own authority", "helm -n peers test seeds", "--token-file"
	all := []string{inside, own, test, token}
	// Only an installation shows them, so a copy of the chart has them in a manifest.
	withNotes := t.TempDir()
	if err := os.CopyFS(withNotes, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	manifest := "notes: {{ include (print $.Template.BasePath \"/NOTES.txt\") . | toJson }}\n"
	if err := os.WriteFile(filepath.Join(withNotes, "templates", "notes.yaml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	for set, want := range map[string][]string{
		"":                 {"PeerNetworks of peers.", "namespace: peers}"},
		"namespaces={*}":   {"PeerNetworks of all namespaces.", "namespace: peers}"},
		"namespaces={a,b}": {"PeerNetworks of a, b.", "namespace: a}"},
		"network.id=a":     {inside, own, test, "wait pn/seeds"},
		"network.id=a,network.name=demo,network.spec.exposure.type=NodePort":                           {own, test, "wait pn/demo", "configmap demo-bootstrap"},
		"network.id=a,network.spec.exposure.domain=s.example":                                          {own, test},
		"network.id=a,network.spec.tls.secretName=mine":                                                {inside, test},
		"network.id=a,network.spec.access.jwks.secretName=keys,network.spec.access.jwks.key=jwks.json": {inside, own, token, "--network-id 'a'"},
	} {
		if strings.Contains(set, "network.id") {
			set += ",network.enabled=true"
		}
		out, err := helm(t.Context(), "template", "seeds", withNotes, "--namespace", "peers", "--kube-version", "1.34.0", "--set", set, "--show-only", "templates/notes.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var rendered struct{ Notes string }
		if err := yaml.Unmarshal(out, &rendered); err != nil {
			t.Fatal(err)
		}
		notes := rendered.Notes
		for _, text := range want {
			if !strings.Contains(notes, text) {
				t.Errorf("with %s it does not say %q:\n%s", set, text, notes)
			}
		}
		for _, text := range all {
			if strings.Contains(notes, text) && !slices.Contains(want, text) {
				t.Errorf("with %s it says %q:\n%s", set, text, notes)
			}
		}
	}
}

// The definition is in the chart unless it is not wanted.
func TestDefinition(t *testing.T) {
	for set, want := range map[string]bool{"crds.enabled=true": true, "crds.enabled=false": false} {
		manifests, err := template(t.Context(), "--include-crds", "--set", set)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(manifests, []byte("kind: CustomResourceDefinition")); got != want {
			t.Errorf("with %s there is a definition: %t", set, got)
		}
	}
}
