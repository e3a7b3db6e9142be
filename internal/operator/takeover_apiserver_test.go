//go:build apiserver

package operator

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// candidate is an operator beside others, one of which works.
type candidate struct {
	w        *world
	registry *prometheus.Registry
	requests requests
	wire     wire
	end      func() error
}

func (w *world) candidate() *candidate {
	w.Helper()
	c := &candidate{w: w, registry: prometheus.NewRegistry()}
	c.requests.reset()
	c.end = w.startEnding(c.requests.of(c.wire.of(asOperator)), func(config *Config) { config.Registry = c.registry })
	w.Cleanup(func() { _ = c.end() }) // the test has seen how it ended, or failed
	return c
}

// counted is the sum of an own metric of the operator.
func (c *candidate) counted(name string) (sum float64) {
	c.w.Helper()
	families, err := c.registry.Gather()
	c.w.must(err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// works waits until it has reconciled the network, and tried its seed.
func (c *candidate) works() {
	c.w.Helper()
	c.w.until("an operator works", func() bool { return c.counted("operator_networks") > 0 && c.counted("operator_probes_total") > 0 })
}

// waits waits until it has asked for the lease, twice from now on: the second time with
// all that it has seen before.
func (c *candidate) waits() {
	c.w.Helper()
	before := c.requests.elected()
	c.w.until("an operator waits for the lease", func() bool { return c.requests.elected() >= before+2 })
}

// wantWrites wants that it has written nothing but what these have to do with.
func (c *candidate) wantWrites(who string, these ...string) {
	c.w.Helper()
	_, writes, examples := c.requests.reset()
	if writes > len(examples) {
		c.w.Errorf("%s wrote %d times, such as %q", who, writes, examples)
	}
	for _, one := range examples {
		if !slices.ContainsFunc(these, func(part string) bool { return strings.Contains(one, part) }) {
			c.w.Errorf("%s wrote %s, and is to write of %q only", who, one, these)
		}
	}
}

// scaled has the network have so many seeds, and waits until it is seen to.
func (w *world) scaled(replicas int32) {
	w.Helper()
	w.get(w.network)
	w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = replicas })
	w.until("the StatefulSet has another number of seeds", func() bool { return *w.set().Spec.Replicas == replicas })
	w.until("the status is of it", func() bool {
		w.get(w.network)
		return w.network.Status.DesiredReplicas == replicas && w.network.Status.ObservedGeneration == w.network.Generation
	})
}

// wire is a way to the API server that can be cut.
type wire struct {
	mu sync.Mutex
	// Guarded by mu.
	conns []net.Conn
	isCut bool
}

// of is a configuration whose connections go this way.
func (w *wire) of(api *rest.Config) *rest.Config {
	api = rest.CopyConfig(api)
	api.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.isCut {
			conn.Close()
			return nil, errors.New("the wire is cut")
		}
		w.conns = append(w.conns, conn)
		return conn, nil
	}
	return api
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = true
	for _, conn := range w.conns {
		conn.Close()
	}
}

// Of several operators one works. When it ends, or is not heard of any more, another
// one goes on, and writes nothing but what has changed.
func TestAPIServerTakeover(t *testing.T) {
	w := published(t)
	// The certificate names all seeds, and kubelets are told of it.
	ofReplicas := []string{"/statefulsets/demo-seed", "/secrets/demo-tls", "/pods/demo-seed-0", "/peernetworks/demo/status", "/events"}
	sequence := w.document().Sequence

	first := w.candidate()
	first.works()
	first.requests.reset() // it has other settings than what published the network
	second := w.candidate()
	second.waits()
	w.scaled(2)
	second.waits()
	first.wantWrites("the first operator", ofReplicas...)

	// One that is stopped gives the lease back.
	if err := first.end(); err != nil {
		t.Fatal(err)
	}
	second.works()
	third := w.candidate()
	third.waits()
	second.wantWrites("an operator that waited and goes on", "nothing")
	w.scaled(3)
	third.waits()
	second.wantWrites("the second operator", ofReplicas...)

	// One that is cut off cannot, and the lease expires.
	second.wire.cut()
	third.works()
	third.wantWrites("an operator that goes on after a lease expired", "nothing")
	w.scaled(4)
	third.wantWrites("the third operator", ofReplicas...)
	if err := second.end(); err == nil || !strings.Contains(err.Error(), "leader election lost") {
		t.Errorf("the operator that was cut off ended with %v", err)
	}
	if err := third.end(); err != nil {
		t.Error(err)
	}
	if now := w.document().Sequence; now != sequence {
		t.Errorf("the document is number %d now, and was %d", now, sequence)
	}
}
