package seed

import (
	"bytes"
	"crypto/x509"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var testNames = []string{"localhost", "127.0.0.1", "::1", "seed.example"}

func keep(t *testing.T, dir string, now time.Time) *certificate {
	t.Helper()
	c, err := keepCertificate(dir, testNames, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCertificateIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "state")
	now := time.Now()
	first := keep(t, dir, now)
	if !first.made {
		t.Error("the first certificate is not said to be new")
	}
	second, err := keepCertificate(dir, []string{"another.example"}, now.Add(365*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if second.made || second.fingerprint() != first.fingerprint() {
		t.Error("a restart changed the certificate")
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, pairFile): 0o600, first.trust: 0o644} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %v, want %v", path, got, want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the directory has %v, %v; want two files and nothing temporary", entries, err)
	}
}

func TestCertificateCanBeTrusted(t *testing.T) {
	c := keep(t, t.TempDir(), time.Now())
	public, err := os.ReadFile(c.trust)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(public, []byte("PRIVATE")) {
		t.Error("the file for clients has the key")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(public) {
		t.Fatal("the file for clients has no certificate")
	}
	for _, name := range testNames {
		if _, err := c.leaf().Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("as %s: %v", name, err)
		}
	}
	if got := c.missing([]string{"localhost", "[::1]", "127.0.0.1", "192.0.2.1", "other.example"}); !slices.Equal(got, []string{"192.0.2.1", "other.example"}) {
		t.Errorf("the certificate is said not to cover %v", got)
	}
	if got := c.fingerprint(); len(got) != 95 || strings.Trim(got, "0123456789ABCDEF:") != "" {
		t.Errorf("fingerprint is %q, want 32 bytes in capital hex digits", got)
	}
}

func TestCertificateIsMadeAnewBeforeItExpires(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	first := keep(t, dir, now.Add(-selfSignedLife+renewBefore-time.Hour))
	second := keep(t, dir, now)
	if !second.made || second.fingerprint() == first.fingerprint() {
		t.Fatal("the certificate was not made anew")
	}
	if public, err := os.ReadFile(second.trust); err != nil || !bytes.Equal(public, certificatePEM(second.leaf().Raw)) {
		t.Errorf("the file for clients has another certificate (%v)", err)
	}
}

func TestCertificateOfTwoSeedsAtOnce(t *testing.T) {
	dir := t.TempDir()
	prints := make([]string, 8)
	var group sync.WaitGroup
	for i := range prints {
		group.Go(func() {
			c, err := keepCertificate(dir, testNames, time.Now())
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = c.fingerprint()
		})
	}
	group.Wait()
	for _, p := range prints {
		if p != prints[0] {
			t.Fatalf("seeds that share a directory have certificates of their own: %v", prints)
		}
	}
}

func TestCertificateThatCannotBeUsed(t *testing.T) {
	t.Run("garbage", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, pairFile), []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := keepCertificate(dir, testNames, time.Now())
		if err == nil || !strings.Contains(err.Error(), "delete the file") || !strings.Contains(err.Error(), pairFile) {
			t.Errorf("error is %v, want the file and what to do", err)
		}
	})
	t.Run("no directory", func(t *testing.T) {
		if _, err := keepCertificate("", testNames, time.Now()); err == nil {
			t.Error("no error without a directory")
		}
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := keepCertificate(file, testNames, time.Now()); err == nil {
			t.Error("no error where the directory is a file")
		}
	})
}

func TestOperatorsCertificate(t *testing.T) {
	dir := t.TempDir()
	made := keep(t, dir, time.Now())
	pair := filepath.Join(dir, pairFile)
	c, err := loadCertificate(made.trust, pair, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if c.fingerprint() != made.fingerprint() || c.trust != "" {
		t.Errorf("loaded %+v", c)
	}
	if _, err := loadCertificate(filepath.Join(dir, "none"), pair, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "--tls-cert") {
		t.Errorf("error is %v, want one that names the flag", err)
	}
}
