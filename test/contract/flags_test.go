package contract

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/authority"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
	"github.com/peerexchange/peerexchange/internal/operator/rotation"
)

// jwks is a key set with one public key.
const jwks = `{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

// A seed starts with the flags that the operator gives it and the files that it mounts,
// takes connections, and ends as it is asked to.
func TestSeedTakesFlagsAndFiles(t *testing.T) {
	program := filepath.Join(t.TempDir(), "seed")
	if output, err := exec.Command("go", "build", "-o", program, "../../cmd/seed").CombinedOutput(); err != nil {
		t.Fatalf("build the seed: %v: %s", err, output)
	}
	off, drain, peers := false, int32(1), intstr.FromInt32(5)
	for name, spec := range map[string]v1.PeerNetworkSpec{
		"with little": {TURN: v1.TURN{Enabled: &off}},
		"with all": {
			Transports: []v1.TransportScheme{v1.SchemeWSS, v1.SchemeWS},
			Exposure:   v1.Exposure{Type: v1.ExposeHostPort},
			TURN: v1.TURN{
				CredentialTTLSeconds: 600, RelayPorts: &v1.PortRange{Min: 50000, Max: 50100},
				AllowedPeers: []v1.CIDR{"10.1.0.7/16"}, DeniedPeers: []v1.CIDR{"203.0.113.0/24", "2001:db8::/32"},
			},
			Access: v1.Access{
				Tokens:    &v1.SecretKey{SecretName: "a", Key: "a"},
				JWTSecret: &v1.SecretKey{SecretName: "a", Key: "a"},
				JWKS:      &v1.SecretKey{SecretName: "a", Key: "a"},
			},
			Limits: v1.Limits{Peers: &peers, RelayTime: "45s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := &v1.PeerNetwork{Spec: spec}
			n.Name, n.Namespace, n.Spec.NetworkID, n.Spec.DrainSeconds = "demo", "games", "a $(network)", &drain
			runSeed(t, program, n)
		})
	}
}

func runSeed(t *testing.T, program string, n *v1.PeerNetwork) {
	dir := t.TempDir()
	writeFiles(t, dir, n)
	container := resources.StatefulSet(n, resources.Settings{ClusterDomain: "invalid"}, 1, nil).Spec.Template.Spec.Containers[0]
	// What the kubelet and the pod's network do.
	loopback := strings.NewReplacer("listen=:", "listen=127.0.0.1:", "listen-plain=:", "listen-plain=127.0.0.1:")
	kubelet := strings.NewReplacer(
		"$$", "$", "$(POD_NAME)", "demo-seed-0", "$(HOST_IP)", "192.0.2.1",
		"/etc/peerexchange", dir, "=/state", "="+filepath.Join(dir, "state"),
		":8443", ":0", ":8080", ":0", ":3478", ":0", ":9090", ":0",
	)
	var args []string
	for _, arg := range container.Args {
		if strings.HasPrefix(arg, "--mesh-dns=") {
			args = append(args, arg) // its port is others'
			continue
		}
		args = append(args, kubelet.Replace(loopback.Replace(arg)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seed := exec.CommandContext(ctx, program, args...)
	seed.Env = append(os.Environ(), "SEED_LOG_LEVEL=info")
	var logs bytes.Buffer
	seed.Stderr = &logs
	out, err := seed.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := seed.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C") {
		said.WriteString(lines.Text() + "\n")
	}
	seed.Process.Signal(syscall.SIGTERM)
	if err := seed.Wait(); err != nil {
		t.Fatalf("seed %q: %v\n%s%s", args, err, &said, &logs)
	}
	if want := `"` + n.Spec.NetworkID + `"`; !strings.Contains(said.String(), want) {
		t.Errorf("the seed is of another network than %s:\n%s", want, &said)
	}
}

// writeFiles writes what the pod mounts.
func writeFiles(t *testing.T, dir string, n *v1.PeerNetwork) {
	t.Helper()
	now := time.Now()
	authorities, err := authority.Authorities{}.Renew("demo", now)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Certificate{}.Renew(authorities, []string{"127.0.0.1"}, now)
	if err != nil {
		t.Fatal(err)
	}
	secrets, _ := rotation.Secrets(nil).Rotate(rotation.Schedule{Every: time.Hour, Good: time.Minute}, now)
	secrets, _ = secrets.Rotate(rotation.Schedule{Every: time.Hour, Good: time.Minute}, now.Add(time.Hour))
	for path, content := range map[string][]byte{
		"bootstrap/bootstrap.json": document(t, n.Spec.NetworkID),
		"tls/tls.crt":              certificate.Certificate,
		"tls/tls.key":              certificate.Key,
		"mesh/secrets":             secrets.File(now),
		"turn/secrets":             secrets.File(now),
		"access/tokens":            []byte("0123456789abcdef\n"),
		"access/jwt-secrets":       secrets.File(now),
		"access/jwks.json":         []byte(jwks),
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
