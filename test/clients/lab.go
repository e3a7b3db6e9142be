package clients

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Config says what the nodes of a [Lab] have in common.
type Config struct {
	// Network is the network ID of all nodes. Empty gives each test a network of
	// its own.
	Network string
	// CAFile is a PEM file with the certificate authority that the nodes trust.
	CAFile string
	// Node starts Node in a folder with these arguments and additional variables:
	// elsewhere, such as in a container that has this machine's files. Nil starts it here.
	Node func(ctx context.Context, dir string, variables []string, args ...string) *exec.Cmd
	// CertFile and KeyFile are what nodes accept TLS connections with, at
	// 127.0.0.1. Empty if none does.
	CertFile, KeyFile string
}

// Lab makes the nodes of tests, and has what they share: the browser, and whom
// to trust.
type Lab struct {
	// Static after construction.
	config Config
	dir    string
	node   string      // the folder node
	client *tls.Config // for those that dial
	server *tls.Config // for those that accept

	browserOnce sync.Once
	browser     *browser
	browserErr  error

	// overtakings counts connections that the WebRTC of Node has spoiled, see [Draw].
	overtakings atomic.Int64

	mu sync.Mutex
	// Guarded by mu.
	closers []io.Closer
}

// NewLab prepares for nodes. It fails if the npm packages are not installed.
func NewLab(config Config) (*Lab, error) {
	node, err := nodeFolder()
	if err != nil {
		return nil, err
	}
	if config.Node == nil {
		config.Node = nodeHere
	}
	l := &Lab{config: config, node: node}
	if l.client, err = trusting(config.CAFile); err != nil {
		return nil, err
	}
	if config.CertFile != "" {
		certificate, err := tls.LoadX509KeyPair(config.CertFile, config.KeyFile)
		if err != nil {
			return nil, err
		}
		l.server = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	if l.dir, err = os.MkdirTemp("", "clients-"); err != nil {
		return nil, err
	}
	return l, nil
}

// nodeFolder finds the folder with the JavaScript, in which packages are installed.
func nodeFolder() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		folder := filepath.Join(at, "test", "clients", "node")
		if _, err := os.Stat(filepath.Join(folder, "package.json")); err == nil {
			if _, err := os.Stat(filepath.Join(folder, "node_modules", "peer-exchange-v0")); err != nil {
				return "", errors.New("the npm packages are not installed: run npm ci in test/clients/node")
			}
			return folder, nil
		}
		parent := filepath.Dir(at)
		if parent == at {
			return "", errors.New("test/clients/node is in no folder above this one")
		}
		at = parent
	}
}

func trusting(file string) (*tls.Config, error) {
	roots, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots) {
		return nil, fmt.Errorf("%s has no certificate in it", file)
	}
	return &tls.Config{RootCAs: pool}, nil
}

func nodeHere(ctx context.Context, dir string, variables []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), variables...)
	return cmd
}

// Node is a Node process in a folder, which trusts the lab's authority and finds its packages.
func (l *Lab) Node(ctx context.Context, dir string, variables []string, args ...string) *exec.Cmd {
	variables = append([]string{"NODE_EXTRA_CA_CERTS=" + l.config.CAFile, "NODE_PATH=" + l.Packages()}, variables...)
	return l.config.Node(ctx, dir, variables, args...)
}

// Packages is the folder in which the npm packages are installed: both
// generations under names of their own, peer-exchange-v0 and peer-exchange-v1.
func (l *Lab) Packages() string { return filepath.Join(l.node, "node_modules") }

// ClientTLS is the configuration of connections to those whom the nodes trust.
func (l *Lab) ClientTLS() *tls.Config { return l.client.Clone() }

// ServerTLS is the configuration with which nodes accept connections.
func (l *Lab) ServerTLS() *tls.Config { return l.server.Clone() }

// closeLater closes c when all tests are over. A transport whose peers were
// killed takes its time to see that nothing it says is heard any more, and no
// test needs to wait for that.
func (l *Lab) closeLater(c io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closers = append(l.closers, c)
}

// Close ends what the tests shared.
func (l *Lab) Close() error {
	if l.browser != nil {
		l.browser.stop()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var closing sync.WaitGroup
	for _, c := range l.closers {
		closing.Go(func() { c.Close() })
	}
	closing.Wait()
	return os.RemoveAll(l.dir)
}

// stepTime bounds everything that one test does: an npm client that is told
// nothing waits for ever.
const stepTime = 120 * time.Second

// Context is one context for all of a test, so that all of it is bounded.
func Context(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), stepTime)
	t.Cleanup(cancel)
	return ctx
}

// networkOf is the network of a test's nodes.
func (l *Lab) networkOf(t *testing.T) string {
	if l.config.Network != "" {
		return l.config.Network
	}
	return t.Name()
}
