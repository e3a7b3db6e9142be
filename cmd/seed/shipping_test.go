package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// shipped reads a file that goes with the seed.
func shipped(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestShippedVariablesAreFlags checks that what is written to operators is what
// the seed reads.
func TestShippedVariablesAreFlags(t *testing.T) {
	clearEnv(t)
	var help bytes.Buffer
	if _, err := parse([]string{"--help"}, &help); err != nil {
		t.Fatal(err)
	}
	if _, err := parseCheck([]string{"--help"}, &help); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"deploy/systemd/seed.env", "docs/single-machine.md", "docs/seed.md", "Dockerfile"} {
		found := regexp.MustCompile(`\bSEED_[A-Z_]+[A-Z]\b`).FindAllString(shipped(t, path), -1)
		if len(found) == 0 {
			t.Errorf("%s has no variables", path)
		}
		for _, variable := range found {
			if !strings.Contains(help.String(), "$"+variable+")") && !strings.Contains(help.String(), "$"+variable+",") {
				t.Errorf("%s: the seed knows no %s", path, variable)
			}
		}
	}
}

// TestShippedSettingsStartASeed reads the environment file as systemd does, with
// what is commented out.
func TestShippedSettingsStartASeed(t *testing.T) {
	clearEnv(t)
	for line := range strings.Lines(shipped(t, "deploy/systemd/seed.env")) {
		name, value, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "#")), "=")
		if ok && strings.HasPrefix(name, "SEED_") {
			t.Setenv(name, value)
		}
	}
	t.Setenv("SEED_NETWORK_ID", "demo")
	f, err := parse(nil, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	c := f.config(nil)
	if c.Listen != ":443" || c.TLSCert == "" || c.TLSKey == "" || len(c.ExternalIPs) != 1 || c.Limits.Peers != 50000 {
		t.Errorf("settings are %+v", c)
	}
}

// TestUnitWaitsForTheSeed checks that systemd does not kill a seed that is still
// shutting down.
func TestUnitWaitsForTheSeed(t *testing.T) {
	clearEnv(t)
	t.Setenv("SEED_NETWORK_ID", "demo")
	f, err := parse(nil, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindStringSubmatch(shipped(t, "deploy/systemd/peerexchange-seed.service"))
	if found == nil {
		t.Fatal("the unit has no TimeoutStopSec in seconds")
	}
	if wait, _ := time.ParseDuration(found[1] + "s"); wait < f.DrainTimeout+10*time.Second {
		t.Errorf("systemd waits for %v, and the seed may take %v", wait, f.DrainTimeout)
	}
}

// TestImageExposesTheDefaultPorts compares them with the flags' defaults.
func TestImageExposesTheDefaultPorts(t *testing.T) {
	clearEnv(t)
	t.Setenv("SEED_NETWORK_ID", "demo")
	f, err := parse(nil, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	image := shipped(t, "Dockerfile")
	for _, port := range []string{f.Listen + "/tcp", f.WebRTC + "/udp", f.TURNListen[0] + "/tcp", f.TURNListen[0] + "/udp"} {
		if !regexp.MustCompile(`(?m)^EXPOSE\b.*\s` + strings.TrimPrefix(port, ":") + `\b`).MatchString(image) {
			t.Errorf("the image does not expose %s", port)
		}
	}
}
