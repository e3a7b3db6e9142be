package outside

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/test/clients"
)

// AwaitDocuments fetches the bootstrap document of each seed, with the network's key if there
// is one, until it has the published addresses, which seeds of a cluster learn a minute or so
// after they are published. From then on they tell all ways to their TURN servers.
func (n Network) AwaitDocuments(t *testing.T) {
	t.Helper()
	var want []string
	for _, addresses := range n.Seeds {
		want = append(want, addresses...)
	}
	slices.Sort(want)
	s := clients.NewScenario(t)
	for i := range n.Seeds {
		s.Must(n.awaitDocument(s.Ctx, t, i, want))
	}
}

// Document has a node that is given nothing but a seed's bootstrap document led to all seeds.
func Document(t *testing.T, n Network) {
	n.AwaitDocuments(t)
	s := clients.NewScenario(t)
	node := n.Lab.StartGo(t, clients.V0, "maintained")
	m, err := exchange.NewMaintainer(node.Exchange, exchange.MaintainerConfig{
		Bootstrap: &exchange.BootstrapSource{URL: n.origin(t, 0), Key: n.Key},
		Peers:     -1, SeedConnections: len(n.Seeds),
	})
	s.Must(err)
	ended := make(chan error, 1)
	go func() { ended <- m.Run(s.Ctx) }()
	s.AwaitCount(node, len(n.Seeds))
	node.Exchange.Close()
	<-ended
}

func (n Network) awaitDocument(ctx context.Context, t *testing.T, seed int, want []string) error {
	source := &exchange.BootstrapSource{URL: n.origin(t, seed), Key: n.Key, Network: n.ID, Client: n.httpClient(t)}
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		document, err := source.Fetch(ctx)
		if err == nil {
			got := document.Addresses()
			slices.Sort(got)
			if slices.Equal(got, want) && document.Sequence > 0 {
				return nil
			}
			err = fmt.Errorf("its sequence is %d and it has %v, want %v", document.Sequence, got, want)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("the document of seed %d: %w", seed, err)
		}
	}
}
