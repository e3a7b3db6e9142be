package kube

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/peerexchange/peerexchange/api/v1/crd"
)

// assets is the variable that names the folder of the programs.
const assets = "KUBEBUILDER_ASSETS"

// startTimeout is how long each of the programs may take to start, and to stop.
const startTimeout = 2 * time.Minute

// Server is an API server that knows PeerNetworks.
type Server struct {
	// Config is for clients that may do everything.
	Config *rest.Config

	environment *envtest.Environment
	kubeconfig  string
}

// Start starts one. Whoever starts it stops it.
func Start() (*Server, error) {
	for _, name := range []string{"etcd", "kube-apiserver", "kubectl"} {
		if _, err := exec.LookPath(filepath.Join(os.Getenv(assets), name)); err != nil || !filepath.IsAbs(os.Getenv(assets)) {
			return nil, fmt.Errorf("%s is %q, and no absolute path of a folder with %s: run make test-apiserver, or set it to that of .cache/apiserver after make apiserver", assets, os.Getenv(assets), name)
		}
	}
	definition := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(crd.YAML, definition); err != nil {
		return nil, fmt.Errorf("read the definition: %w", err)
	}
	s := &Server{environment: &envtest.Environment{
		CRDs: []*apiextensionsv1.CustomResourceDefinition{definition},
		// Where much else runs, the 20 seconds that it is given otherwise are too few.
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  startTimeout,
	}}
	var err error
	if s.Config, err = s.environment.Start(); err != nil {
		s.environment.Stop()
		return nil, fmt.Errorf("start the API server: %w", err)
	}
	if err := s.writeKubeconfig(); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) writeKubeconfig() error {
	file, err := os.CreateTemp("", "kubeconfig-*")
	if err != nil {
		return err
	}
	s.kubeconfig = file.Name()
	if _, err := file.Write(s.environment.KubeConfig); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// As returns the configuration of clients of another user, who may do what these roles
// (a YAML document each, of ClusterRoles and Roles) say, and nothing else.
func (s *Server) As(user string, roles []byte) (*rest.Config, error) {
	added, err := s.environment.AddUser(envtest.User{Name: user}, s.Config)
	if err != nil {
		return nil, fmt.Errorf("add the user %s: %w", user, err)
	}
	for document := range bytes.SplitSeq(roles, []byte("---\n")) {
		var role struct {
			Kind     string
			Metadata struct{ Name, Namespace string }
		}
		if err := yaml.Unmarshal(document, &role); err != nil {
			return nil, fmt.Errorf("read a role: %w", err)
		}
		commands := [][]string{{"apply", "-f", "-"}}
		switch role.Kind {
		case "":
			continue
		case "Role":
			namespace := role.Metadata.Namespace
			commands = append([][]string{{"create", "namespace", namespace}}, commands...)
			commands = append(commands, []string{"create", "rolebinding", user, "--role", role.Metadata.Name, "--user", user, "--namespace", namespace})
		default:
			commands = append(commands, []string{"create", "clusterrolebinding", user, "--clusterrole", role.Metadata.Name, "--user", user})
		}
		for _, args := range commands {
			if output, err := s.Kubectl(string(document), args...); err != nil {
				return nil, fmt.Errorf("kubectl %v: %w: %s", args, err, output)
			}
		}
	}
	return added.Config(), nil
}

// Stop ends the server and removes what it kept.
func (s *Server) Stop() error {
	if s.kubeconfig != "" {
		os.Remove(s.kubeconfig)
	}
	return s.environment.Stop()
}

// Kubectl runs kubectl with these arguments and this input, and returns what it
// said on both of its outputs.
func (s *Server) Kubectl(input string, args ...string) (string, error) {
	program := filepath.Join(os.Getenv(assets), "kubectl")
	cmd := exec.Command(program, append([]string{"--kubeconfig", s.kubeconfig}, args...)...)
	cmd.Stdin = bytes.NewBufferString(input)
	output, err := cmd.CombinedOutput()
	return string(output), err
}
