package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// Check is one look at a seed. Make it with [New] and call [Check.Run] once.
type Check struct {
	// Static after construction.
	config Config
	target target
	secure *tls.Config // with which TLS is spoken to the seed
	client *http.Client

	// Owned by Run: what steps leave for those after them.
	results map[string]Step
	addrs   []netip.Addr // of the host
	network string
	agent   string
	nodes   nodes
	servers map[way][]iceServer

	closing sync.WaitGroup // of what is not waited for in its step

	// local is where sockets are bound that others are to reach, for tests: the
	// zero Addr is anywhere.
	local netip.Addr
}

// New prepares a check. Its errors are mistakes in the configuration.
func New(cfg Config) (*Check, error) {
	cfg = cfg.withDefaults()
	t, err := parseTarget(cfg.URL)
	if err != nil {
		return nil, err
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	secure, err := cfg.tlsConfig()
	if err != nil {
		return nil, err
	}
	return &Check{
		config: cfg, target: t, secure: secure, client: newClient(secure),
		results: make(map[string]Step), network: cfg.NetworkID,
	}, nil
}

// Run tries one step after the other. When ctx ends, the rest is not tried.
func (c *Check) Run(ctx context.Context) Report {
	defer c.close()
	report := Report{URL: c.target.url(), OK: true}
	for _, s := range plan {
		step := c.step(ctx, s)
		step.Name = s.name
		c.results[s.name] = step
		report.Steps = append(report.Steps, step)
		report.OK = report.OK && step.Result != Failed
		c.config.OnStep(step)
	}
	report.Network, report.Agent = c.network, c.agent
	report.OK = report.OK && ctx.Err() == nil
	return report
}

// close takes down what steps have left standing.
func (c *Check) close() {
	c.nodes.close()
	c.client.CloseIdleConnections()
	c.closing.Wait()
}

// step tries a step, unless there is no sense in it.
func (c *Check) step(ctx context.Context, s stage) Step {
	for _, name := range c.config.Skip {
		if leaves(name, s.name) {
			return notTried("left out")
		}
	}
	if ctx.Err() != nil {
		return notTried("interrupted")
	}
	for _, need := range s.needs {
		if needed := c.results[need]; !needed.passable() {
			return blocked(need, needed)
		}
	}
	bounded, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	started := time.Now()
	step := s.try(c, bounded)
	if step.Result == Failed && ctx.Err() != nil {
		return notTried("interrupted")
	}
	if step.Result != NotTried {
		step.Duration = time.Since(started)
	}
	return step
}

// blocked is a step that needs one that cannot be passed, and names the first of
// those that stand in the way.
func blocked(need string, needed Step) Step {
	root := needed.root
	switch {
	case root != "":
	case needed.Result == Failed:
		root = need + ", which failed"
	default:
		root = need + ", which was not tried"
	}
	s := notTried("needs %s", root)
	s.root = root
	return s
}

// options are those with which nodes connect to the seed.
func (c *Check) options() transports.Options {
	return transports.Options{Port: c.target.port, Secure: c.target.secure, TLS: c.secure.Clone(), Token: c.config.Token}
}

// why is an error in a form for people: a timeout says how long was waited.
func (c *Check) why(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %v", c.config.Timeout)
	}
	return reason(err)
}
