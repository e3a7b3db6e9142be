package operator

import (
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

func TestConfigIsChecked(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"--seed-image":     func(c *Config) { c.Settings.Image = "" },
		"--namespace":      func(c *Config) { c.Settings.Namespace = "" },
		"--cluster-domain": func(c *Config) { c.Settings.ClusterDomain = "" },
		"--concurrency":    func(c *Config) { c.Concurrency = -1 },
	} {
		config := Config{}
		config.Settings.Image, config.Settings.Namespace, config.Settings.ClusterDomain = "seed", "system", "cluster.local"
		change(&config)
		if err := Run(t.Context(), &rest.Config{}, config); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want it to begin with %s", err, want)
		}
	}
}
