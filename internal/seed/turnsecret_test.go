package seed

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/internal/turn"
)

const (
	firstSecret  = "the first secret of the tests"
	secondSecret = "the second secret of the tests"
)

// TestTURNSecretIsKept makes a secret once, for this user only.
func TestTURNSecretIsKept(t *testing.T) {
	cfg := turnConfig(t)
	first := startSeed(t, cfg)
	second := startSeed(t, cfg)
	if a, b := first.turn.secrets.all(), second.turn.secrets.all(); len(a) != 1 || len(a[0]) != 64 || string(a[0]) != string(b[0]) {
		t.Errorf("secrets are %q and %q, want one of 64 digits, the same", a, b)
	}
	info, err := os.Stat(filepath.Join(cfg.StateDir, turnSecretFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	other := startSeed(t, turnConfig(t))
	if string(other.turn.secrets.all()[0]) == string(first.turn.secrets.all()[0]) {
		t.Error("two seeds made the same secret")
	}
}

// TestTURNSecretsRotate goes from one secret to another in two steps, and nobody is
// turned away on the way.
func TestTURNSecretsRotate(t *testing.T) {
	cfg := turnConfig(t)
	cfg.TURNSecretFile = filepath.Join(t.TempDir(), "secrets")
	write := func(lines ...string) {
		t.Helper()
		if err := os.WriteFile(cfg.TURNSecretFile, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(firstSecret, "")
	s := startSeed(t, cfg, func(s *Seed) {
		s.turn.secrets.files.interval = 1 << 60 // the test has it look
	})
	url := "turn:" + s.turn.server.Addrs(turn.TransportUDP)[0].String()
	works := func(username, credential string) bool {
		t.Helper()
		client := s.dialTURN(t, url, username, credential)
		defer client.Close()
		relay, err := client.Allocate()
		if err == nil {
			relay.Close()
		}
		return err == nil
	}
	oldUser, oldPassword, _ := s.turn.server.Credentials("old")
	if oldPassword != turn.Password([]byte(firstSecret), oldUser) {
		t.Fatal("the secret is not that of the file")
	}

	peer := startEcho(t)
	running, err := s.dialTURN(t, url, oldUser, oldPassword).Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()

	reload := func() { s.turn.secrets.files.check() }
	write(secondSecret, firstSecret)
	reload()
	newUser, newPassword, _ := s.turn.server.Credentials("new")
	if newPassword != turn.Password([]byte(secondSecret), newUser) {
		t.Error("new credentials are made of the old secret")
	}
	if !works(oldUser, oldPassword) || !works(newUser, newPassword) {
		t.Error("credentials of one of two secrets are refused")
	}

	write("", "  "+secondSecret+"\t\r", "")
	reload()
	if works(oldUser, oldPassword) {
		t.Error("credentials of a secret that is gone are good")
	}
	if !works(newUser, newPassword) {
		t.Error("credentials of the secret are refused")
	}
	for _, bad := range []string{"", "\n\n", "short", secondSecret + "\nshort", strings.Repeat(firstSecret+"\n", maxSecrets+1)} {
		write(bad)
		reload()
	}
	if err := os.Remove(cfg.TURNSecretFile); err != nil {
		t.Fatal(err)
	}
	reload()
	if !works(newUser, newPassword) {
		t.Error("a file of no use took the secret away")
	}
	echo(t, running, peer.LocalAddr())
}

func TestParseSecrets(t *testing.T) {
	got, err := parseSecrets([]byte("\n "+firstSecret+" \r\n\n"+secondSecret), minTURNSecretBytes)
	if err != nil || !slices.EqualFunc(got, []string{firstSecret, secondSecret}, func(a []byte, b string) bool { return string(a) == b }) {
		t.Errorf("secrets are %q, %v", got, err)
	}
	for content, want := range map[string]string{
		"":                           "no secret",
		" \n\t\n":                    "no secret",
		firstSecret + "\n\npassword": "line 3",
		strings.Repeat(firstSecret+"\n", maxSecrets+1): "more than 16",
	} {
		if _, err := parseSecrets([]byte(content), minTURNSecretBytes); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "password") {
			t.Errorf("error is %v, want %q and nothing secret", err, want)
		}
	}
}

func TestTURNSecretThatCannotBe(t *testing.T) {
	cfg := turnConfig(t)
	cfg.TURNSecretFile = filepath.Join(t.TempDir(), "none")
	if _, err := New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "--turn-secret-file") {
		t.Errorf("error is %v", err)
	}
	cfg = turnConfig(t)
	cfg.Listen = "" // the certificate would be missed first
	cfg.StateDir = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(cfg.StateDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(t.Context(), cfg)
	for _, want := range []string{"--state-dir", "--turn-secret-file", "--turn-listen off"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %s in it", err, want)
		}
	}
}
