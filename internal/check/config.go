package check

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// DefaultTimeout is that of a zero [Config].
const DefaultTimeout = 10 * time.Second

// Config says what to check. Its fields are the flags of seed check.
type Config struct {
	// URL is the seed's address: wss://, ws://, tls://, tcp://, https:// or http://
	// with a host, and a port unless it is that of the scheme; or only a host, with
	// or without a port, which is taken for wss://.
	URL string
	// NetworkID is the network; empty asks the seed.
	NetworkID string
	// Token shows that this node is a member, where the seed takes members only.
	Token string
	// CAFile is a PEM file with certificates to trust beside the system's.
	CAFile string
	// Insecure goes on with a certificate that nobody else would trust.
	Insecure bool
	// Timeout bounds each step. Default [DefaultTimeout].
	Timeout time.Duration
	// Skip leaves out steps, and with them those that need them: a step's name, or
	// what several begin with, such as turn.
	Skip []string
	// OnStep is called with each step when it is over. May be nil.
	OnStep func(Step)
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.OnStep == nil {
		c.OnStep = func(Step) {}
	}
	return c
}

func (c Config) validate() error {
	if c.Timeout < 0 {
		return fmt.Errorf("--timeout: %v is negative", c.Timeout)
	}
	for _, name := range c.Skip {
		if err := checkSkip(name); err != nil {
			return fmt.Errorf("--skip: %w", err)
		}
	}
	return nil
}

// tlsConfig is what connections to the seed are made with.
func (c Config) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: c.Insecure}
	if c.CAFile == "" {
		return config, nil
	}
	content, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	config.RootCAs, err = x509.SystemCertPool()
	if err != nil {
		config.RootCAs = x509.NewCertPool()
	}
	if !config.RootCAs.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("--ca: %w", errors.New(c.CAFile+" has no certificate in it: want PEM, such as tls.crt in the seed's state directory"))
	}
	return config, nil
}
