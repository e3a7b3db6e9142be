// Package publicroots tells for a test of each program whether the program brings the
// public authorities along.
package publicroots

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// withoutRoots in the environment is of a process whose system has no authorities.
const withoutRoots = "TEST_WITHOUT_ROOTS"

// Test sees that the program under test trusts public authorities on a system that has
// none, as in its image. The system's are read once in a process, so that one of its own
// asks: the same test of the same binary again.
func Test(t *testing.T) {
	t.Helper()
	if os.Getenv(withoutRoots) == "" {
		nowhere := filepath.Join(t.TempDir(), "nothing")
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), withoutRoots+"=1", "SSL_CERT_FILE="+nowhere, "SSL_CERT_DIR="+nowhere)
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, output)
		}
		return
	}
	found := false
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		if certificate.Subject.CommonName != "ISRG Root X1" { // Let's Encrypt's
			continue
		}
		found = true
		if _, err := certificate.Verify(x509.VerifyOptions{CurrentTime: certificate.NotBefore.Add(time.Hour)}); err != nil {
			t.Errorf("%s: %v", certificate.Subject.CommonName, err)
		}
	}
	if !found {
		t.Error("Let's Encrypt's authority is not among the public ones")
	}
}
