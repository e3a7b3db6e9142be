//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// What is published leads to the seeds from outside the cluster, and two nodes that start
// from it meet.
func TestPublish(t *testing.T) {
	t.Parallel()
	n := newSpace(t).network("demo", `{exposure: {type: NodePort}, drainSeconds: 5}`)
	for _, seed := range n.status().Seeds {
		if !seed.Published() || seed.Reason != v1.SeedReached {
			t.Errorf("%s is not published: %s: %s", seed.Name, seed.Reason, seed.Message)
		}
	}
	for _, scheme := range []string{"wss", "tls"} {
		if got := n.addresses(scheme); len(got) != 2 {
			t.Errorf("published with %s: %v, want an address for each of two seeds", scheme, got)
		}
	}
	document, err := exchange.ParseBootstrap([]byte(n.published()["bootstrap.json"]), n.key())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := document.Addresses(), strings.Fields(n.published()["addresses"]); document.Network != n.id || !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("the document is of %q at %v, want %q at %v", document.Network, got, n.id, want)
	}
	n.documentServed()
	ca := n.caFile()
	for _, address := range n.addresses("wss") {
		t.Logf("%s", n.run("go", "run", "./cmd/seed", "check", address, "--network-id", n.id, "--ca", ca))
	}
	_, _, talk := n.pair()
	talk.goesOn()
}
