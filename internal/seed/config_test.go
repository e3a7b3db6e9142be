package seed

import (
	"strings"
	"testing"
	"time"
)

func TestConfigIsChecked(t *testing.T) {
	good := Config{NetworkID: "net", Listen: ":8443"}
	if err := good.withDefaults().validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*Config)
		want   []string // in the message
	}{
		{func(c *Config) { c.NetworkID = "" }, []string{"--network-id"}},
		{func(c *Config) { c.Listen = "" }, []string{"nothing to listen on", "--listen-plain"}},
		{func(c *Config) { c.Listen = "8443" }, []string{"--listen", `"8443"`, ":8443"}},
		{func(c *Config) { c.Listen = ":https" }, []string{"--listen", "port"}},
		{func(c *Config) { c.ListenPlain = ":70000" }, []string{"--listen-plain", "65535"}},
		{func(c *Config) { c.WebRTCListen = "x" }, []string{"--webrtc-listen"}},
		{func(c *Config) { c.TLSCert = "cert.pem" }, []string{"--tls-cert", "--tls-key"}},
		{func(c *Config) { c.TLSKey = "key.pem" }, []string{"--tls-cert", "--tls-key"}},
		{func(c *Config) { c.ExternalIPs = []string{"example.com"} }, []string{"--external-ip", "example.com"}},
		{func(c *Config) { c.TrustedProxies = []string{"10.0.0.0/8", "10.0.0.0/33"} }, []string{"--trusted-proxies", `"10.0.0.0/33"`, "CIDR"}},
		{func(c *Config) { c.TURNListen = []string{":3478", "off"} }, []string{"--turn-listen", `"off"`}},
		{func(c *Config) { c.TURNListen = []string{""} }, []string{"--turn-listen", "empty"}},
		{func(c *Config) { c.TURNCredentialTTL = time.Second }, []string{"--turn-credential-ttl", "1s", "1m0s"}},
		{func(c *Config) { c.TURNRelayIP = "2001:db8::1" }, []string{"--turn-relay-ip", "IPv4"}},
		{func(c *Config) { c.TURNRelayIP = "0.0.0.0" }, []string{"--turn-relay-ip", "0.0.0.0"}},
		{func(c *Config) { c.TURNRelayPorts = "50000" }, []string{"--turn-relay-ports", `"50000"`, "49152-65535"}},
		{func(c *Config) { c.TURNRelayPorts = "5-4" }, []string{"--turn-relay-ports", `"5-4"`}},
		{func(c *Config) { c.TURNRelayPorts = "0-4" }, []string{"--turn-relay-ports", `"0-4"`}},
		{func(c *Config) { c.TURNAllowPeers = []string{"10.0.0.1/8"} }, []string{"--turn-allow-peer", "10.0.0.0/8"}},
		{func(c *Config) { c.TURNDenyPeers = []string{"example.com"} }, []string{"--turn-deny-peer", "example.com"}},
		{func(c *Config) { c.DrainTimeout = -time.Second }, []string{"--drain-timeout"}},
	} {
		bad := good
		c.change(&bad)
		err := bad.withDefaults().validate()
		if err == nil {
			t.Errorf("%+v is accepted", bad)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
		}
	}
}
