//go:build interop

package interop

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// interopSuite is what all tests share.
type interopSuite struct {
	dir string
	pki *pki

	browserOnce sync.Once
	browser     *browser
	browserErr  error

	mu sync.Mutex
	// Guarded by mu.
	closers []io.Closer
}

// closeLater closes c when all tests are over. A transport whose peers were
// killed takes its time to see that nothing it says is heard any more, and no
// test needs to wait for that.
func (s *interopSuite) closeLater(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, c)
}

// close ends what the tests shared.
func (s *interopSuite) close() {
	if s.browser != nil {
		s.browser.stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var closing sync.WaitGroup
	for _, c := range s.closers {
		closing.Go(func() { c.Close() })
	}
	closing.Wait()
}

var suite interopSuite

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if _, err := os.Stat(filepath.Join("node", "node_modules", "peer-exchange-v0")); err != nil {
		fmt.Fprintln(os.Stderr, "the npm packages are not installed: run `npm ci` in test/interop/node")
		return 1
	}
	dir, err := os.MkdirTemp("", "interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	suite.dir = dir
	if suite.pki, err = newPKI(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Nodes that verify a name do so by the system's roots, here and in the seeds that are started.
	if err := os.Setenv("SSL_CERT_FILE", suite.pki.caFile); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	suite.close()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// stepTime bounds everything that one test does: an npm client that is told
// nothing waits for ever.
const stepTime = 120 * time.Second

// testContext is one context for all of a test, so that all of it is bounded.
func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), stepTime)
	t.Cleanup(cancel)
	return ctx
}

// networkOf gives each test a network of its own.
func networkOf(t *testing.T) string {
	return t.Name()
}
