package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/internal/check"
)

// checkFlagCases has every flag of seed check, and its variable of the environment.
var checkFlagCases = []struct {
	flag, value, env string
	change           func(*checkFlags)
}{
	{"network-id", "net", "SEED_CHECK_NETWORK_ID", func(f *checkFlags) { f.NetworkID = "net" }},
	{"token", "secret", "SEED_CHECK_TOKEN", func(f *checkFlags) { f.Token = "secret" }},
	{"ca", "tls.crt", "SEED_CHECK_CA", func(f *checkFlags) { f.CA = "tls.crt" }},
	{"insecure", "true", "SEED_CHECK_INSECURE", func(f *checkFlags) { f.Insecure = true }},
	{"timeout", "3s", "SEED_CHECK_TIMEOUT", func(f *checkFlags) { f.Timeout = 3 * time.Second }},
	{"skip", "turn,webrtc", "SEED_CHECK_SKIP", func(f *checkFlags) { f.Skip = []string{"turn", "webrtc"} }},
	{"json", "true", "SEED_CHECK_JSON", func(f *checkFlags) { f.JSON = true }},
}

func TestEveryCheckFlag(t *testing.T) {
	for _, c := range checkFlagCases {
		t.Run("--"+c.flag, func(t *testing.T) {
			clearEnv(t)
			want := checkFlags{URL: "seed.example", Timeout: check.DefaultTimeout}
			c.change(&want)
			expect := func(how string, args ...string) {
				t.Helper()
				if f, err := parseCheck(args, &bytes.Buffer{}); err != nil || !reflect.DeepEqual(*f, want) {
					t.Errorf("%s: %+v, %v; want %+v", how, f, err, want)
				}
			}
			expect("as a flag", "seed.example", "--"+c.flag+"="+c.value)
			t.Setenv(c.env, c.value)
			expect("in the environment", "seed.example")
		})
	}
}

func TestTokenFile(t *testing.T) {
	clearEnv(t)
	path := filepath.Join(t.TempDir(), "tokens")
	for content, want := range map[string]string{"\n  first \nsecond\n": "first", "\n \n": ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := parseCheck([]string{"seed.example", "--token-file", path}, &bytes.Buffer{})
		switch {
		case want == "" && (err == nil || !strings.Contains(err.Error(), "no token")):
			t.Errorf("%q: %v", content, err)
		case want != "" && (err != nil || f.Token != want):
			t.Errorf("%q: %+v, %v", content, f, err)
		}
	}
}

func TestCheckHelp(t *testing.T) {
	clearEnv(t)
	var help bytes.Buffer
	if f, err := parseCheck([]string{"--help"}, &help); f != nil || err != nil {
		t.Fatalf("%+v, %v", f, err)
	}
	words := []string{"Exit status", "Examples", "--token-file"}
	for _, s := range check.Steps() {
		words = append(words, s.Name, s.Help)
	}
	document := shipped(t, "docs/seed.md")
	for _, c := range checkFlagCases {
		words = append(words, "--"+c.flag, c.env)
		if !strings.Contains(document, "`--"+c.flag) {
			t.Errorf("docs/seed.md does not tell of --%s", c.flag)
		}
	}
	for _, word := range words {
		if !strings.Contains(help.String(), word) {
			t.Errorf("%q is not in the help", word)
		}
	}
	for _, s := range check.Steps() {
		if !strings.Contains(document, "| `"+s.Name+"` |") {
			t.Errorf("docs/seed.md does not tell of the step %s", s.Name)
		}
	}
}

// TestCheckExitStatus runs the command against a seed that runs.
func TestCheckExitStatus(t *testing.T) {
	p := startProcess(t)
	defer p.Wait()
	defer p.Process.Signal(os.Interrupt)
	for _, c := range []struct {
		args []string
		want int
		say  string
	}{
		{[]string{"check", "--help"}, exitOK, ""},
		{[]string{"check"}, exitUsage, "which seed"},
		{[]string{"check", "ftp://seed.example"}, exitUsage, "wss://"},
		{[]string{"check", p.address, "--nonsense"}, exitUsage, "check --help"},
		{[]string{"check", p.address, "--timeout=5"}, exitUsage, "has no unit"},
		{[]string{"check", p.address, "--skip=nothing"}, exitUsage, "turn-udp"},
		{[]string{"check", p.address, "--skip=ice", "--timeout=1m"}, exitOK, ""},
		{[]string{"check", p.address, "--skip=ice", "--timeout=1m", "--network-id=other", "--json"}, exitError, ""},
	} {
		cmd := command(t, c.args...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != c.want || !strings.Contains(stderr.String(), c.say) {
			t.Errorf("seed %s: exit status %d, want %d\n%s%s", strings.Join(c.args, " "), got, c.want, &stdout, &stderr)
		}
	}
}

func TestCheckPrinter(t *testing.T) {
	steps := []check.Step{
		{Name: "dns", Result: check.OK, Duration: 1234 * time.Microsecond, Detail: "192.0.2.7"},
		{Name: "tcp", Result: check.NotTried, Detail: "left out"},
		{Name: "tls", Result: check.Warning, Duration: 250 * time.Millisecond, Detail: "TLS 1.3", Hint: "Renew " + strings.Repeat("it ", 40)},
		{Name: "hello", Result: check.Failed, Duration: 10 * time.Second, Detail: "no answer", Hint: "Look there."},
		{Name: "webrtc", Result: check.Failed, Duration: 10 * time.Second, Detail: "no answer", Hint: "Look there."},
		{Name: "ice", Result: check.NotTried, Detail: "needs tls, which failed"},
		{Name: "stun", Result: check.NotTried, Detail: "needs tls, which failed"},
		{Name: "turn-udp", Result: check.NotTried, Detail: "needs tls, which failed"},
	}
	print := func(style checkStyle) string {
		var out bytes.Buffer
		p := checkPrinter{w: &out, style: style}
		for _, s := range steps {
			p.step(s)
		}
		p.verdict(check.Report{URL: "wss://seed.example:443", Steps: steps})
		return out.String()
	}
	golden := `✓ dns            1.2 ms  192.0.2.7
– tcp                    not tried: left out
! tls            250 ms  TLS 1.3
      Renew it it it it it it it it it it it it it it it it it it it it it it it it it it it it it
      it it it it it it it it it it it
✗ hello          10.0 s  no answer
      Look there.
✗ webrtc         10.0 s  no answer
– ice                    not tried, nor the 2 after it, to turn-udp: needs tls, which failed

✗ wss://seed.example:443: 2 of 8 steps work, 1 of them with a warning, 2 failed, 4 not tried.
`
	if got := print(checkStyle{unicode: true}); got != golden {
		t.Errorf("printed\n%s\nwant\n%s", got, golden)
	}
	if got := regexp.MustCompile(`\x1b\[[0-9]*m`).ReplaceAllString(print(checkStyle{unicode: true, color: true}), ""); got != golden {
		t.Errorf("without its colors it is\n%s", got)
	}
	if got := print(checkStyle{}); strings.ContainsFunc(got, func(r rune) bool { return r > '~' || r == '\x1b' }) {
		t.Errorf("not ASCII:\n%s", got)
	}
}

func TestCheckStyle(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// A device is taken for a terminal.
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	for _, c := range []struct {
		out  *os.File
		env  map[string]string
		want checkStyle
	}{
		{file, map[string]string{"LANG": "en_US.UTF-8"}, checkStyle{unicode: true}},
		{device, map[string]string{"LANG": "C.utf8"}, checkStyle{unicode: true, color: true}},
		{device, map[string]string{"LANG": "C.utf8", "LC_ALL": "C"}, checkStyle{color: true}},
		{device, map[string]string{"NO_COLOR": "1"}, checkStyle{}},
		{device, map[string]string{"TERM": "dumb"}, checkStyle{}},
	} {
		if got := styleOf(c.out, func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.env, got, c.want)
		}
	}
}
