package main

import (
	"bytes"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/peerexchange/peerexchange/internal/operator"
)

func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OPERATOR_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// Every flag, as one and in the environment.
var flagCases = []struct {
	flag, value string
	want        func(*operator.Config)
}{
	{"seed-image", "seed:2", func(c *operator.Config) { c.Settings.Image = "seed:2" }},
	{"namespace", "elsewhere", func(c *operator.Config) { c.Settings.Namespace = "elsewhere" }},
	{"pod-labels", "a=b;c=d", func(c *operator.Config) { c.Settings.PodLabels = map[string]string{"a": "b", "c": "d"} }},
	{"watch-namespaces", "one,two", func(c *operator.Config) { c.Namespaces = []string{"one", "two"} }},
	{"cluster-domain", "example.org", func(c *operator.Config) { c.Settings.ClusterDomain = "example.org" }},
	{"leader-election", "true", func(c *operator.Config) { c.LeaderElection = true }},
	{"concurrency", "3", func(c *operator.Config) { c.Concurrency = 3 }},
	{"metrics-listen", "off", func(c *operator.Config) { c.MetricsListen = "" }},
	{"health-listen", "127.0.0.1:1", func(c *operator.Config) { c.HealthListen = "127.0.0.1:1" }},
}

func TestEveryFlag(t *testing.T) {
	configured := func(how string, args ...string) operator.Config {
		t.Helper()
		f, err := parse(args, &bytes.Buffer{})
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		config := f.config(&bytes.Buffer{})
		config.Logger = nil
		return config
	}
	for _, c := range flagCases {
		t.Run(c.flag, func(t *testing.T) {
			t.Setenv("OPERATOR_SEED_IMAGE", "seed:1")
			t.Setenv("OPERATOR_NAMESPACE", "system")
			want := configured("without it")
			c.want(&want)
			if got := configured("as a flag", "--"+c.flag+"="+c.value); !reflect.DeepEqual(got, want) {
				t.Errorf("as a flag: %+v, want %+v", got, want)
			}
			t.Setenv("OPERATOR_"+strings.ToUpper(strings.ReplaceAll(c.flag, "-", "_")), c.value)
			if got := configured("in the environment"); !reflect.DeepEqual(got, want) {
				t.Errorf("in the environment: %+v, want %+v", got, want)
			}
		})
	}
}

func TestBadFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"--seed-image": {"--namespace=a"},
		"--namespace":  {"--seed-image=a"},
		"--log-level":  {"--namespace=a", "--seed-image=a", "--log-level=loud"},
		"--lister":     {"--namespace=a", "--seed-image=a", "--lister"},
	} {
		if _, err := parse(args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	f, err := parse([]string{"--help"}, &out)
	if f != nil || err != nil {
		t.Fatalf("parse = %v, %v", f, err)
	}
	for _, c := range flagCases {
		if !strings.Contains(out.String(), "--"+c.flag) && !strings.Contains(out.String(), "--[no-]"+c.flag) {
			t.Errorf("--%s is not in the help", c.flag)
		}
	}
}

func TestLogLevel(t *testing.T) {
	f, err := parse([]string{"--namespace=a", "--seed-image=a", "--log-level=warn"}, &bytes.Buffer{})
	if err != nil || f.LogLevel != slog.LevelWarn {
		t.Errorf("the level is %v, %v", f, err)
	}
}
