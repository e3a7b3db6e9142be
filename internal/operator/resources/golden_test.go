package resources

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/test/generated"
	"github.com/peerexchange/peerexchange/test/schema"
)

//go:generate go test -count=1 -run ^TestGenerated . -update

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var settings = Settings{
	Image:         "registry.example/peerexchange/seed:v1.0.0",
	ClusterDomain: "cluster.local",
	Namespace:     "peerexchange-system",
	PodLabels:     map[string]string{"app.kubernetes.io/name": "peerexchange-operator"},
}

var (
	clusterRanges = []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("10.96.0.0/16"), netip.MustParsePrefix("fd00:10:244::/56")}
	deniedRanges  = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
)

// TestGenerated compares everything that is made for the networks in testdata with
// what was made before.
func TestGenerated(t *testing.T) {
	for name, n := range networks(t) {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			for _, object := range objects(n) {
				document, err := yaml.Marshal(object)
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString("---\n")
				got.Write(document)
			}
			generated.File(t, filepath.Join("testdata", name+".golden"), got.Bytes())
		})
	}
}

// objects is everything that is made for a network.
func objects(n *v1.PeerNetwork) []any {
	all := []any{
		ServiceAccount(n),
		Secret(n, TURNSecretName(n), map[string][]byte{SecretsFile: []byte("turn secret\n")}),
		Secret(n, SigningSecretName(n), map[string][]byte{"ed25519.pem": []byte("signing key\n")}),
		Secret(n, MeshSecretName(n), map[string][]byte{SecretsFile: []byte("mesh secret\n")}),
		BootstrapConfigMap(n, []byte(`{"network":"demo"}`), []string{"wss://192.0.2.1:443", "tls://192.0.2.1:443"}, "a2V5", []byte("PEM\n")),
		HeadlessService(n),
	}
	switch {
	case n.Spec.TLS.Issuer != nil:
		all = append(all, Certificate(n, []string{"0.seeds.example.org", "1.seeds.example.org", "192.0.2.1", "2001:db8::1"}).Object)
	case n.Spec.TLS.SecretName == "":
		all = append(all, CertificateSecret(n, []byte("certificate\n"), []byte("key\n"), []byte("authorities\n")))
	}
	for _, service := range SeedServices(n, n.Spec.Replicas) {
		all = append(all, service)
	}
	if HasNetworkPolicy(n) {
		all = append(all, NetworkPolicy(n, settings, clusterRanges))
	}
	return append(all, DisruptionBudget(n), StatefulSet(n, settings, n.Spec.Replicas, deniedRanges))
}

// networks are those of testdata, with their defaults, by the file's name.
func networks(t *testing.T) map[string]*v1.PeerNetwork {
	t.Helper()
	s, err := schema.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	all := make(map[string]*v1.PeerNetwork)
	for _, path := range paths {
		document, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Read(t.Context(), string(document))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		n.UID = "6f6e6c79-6120-7465-7374-206e6574776f"
		all[strings.TrimSuffix(filepath.Base(path), ".yaml")] = n
	}
	return all
}
