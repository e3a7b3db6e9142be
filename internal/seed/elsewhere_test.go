package seed

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// A seed that drains while its sibling is not published yet waits until it is, but no
// longer than it may.
func TestPeersAreSentToASiblingThatIsPublishedLate(t *testing.T) {
	document := func(seeds string) []byte {
		return fmt.Appendf(nil, `{"network":%q,"sequence":1,"seeds":[%s]}`, t.Name(), seeds)
	}
	seeds := startMesh(t, 2, func(i int, cfg *Config) {
		cfg.SeedName = fmt.Sprintf("seed-%d", i)
		cfg.BootstrapFile = writeFile(t, string(document("")))
	})
	eventually(t, "the seeds are linked", func() bool { return len(seeds[0].exchange.Siblings()) == 1 })

	over, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if got := seeds[0].awaitElsewhere(over); len(got) > 0 {
		t.Errorf("peers are sent to %q before anything is published", got)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	found := make(chan []string, 1)
	go func() { found <- seeds[0].awaitElsewhere(ctx) }()
	if err := seeds[1].bootstrap.replace([][]byte{document(`{"name":"seed-1","addresses":["wss://seed-1.example"]}`)}); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-found:
		if !slices.Equal(got, []string{"wss://seed-1.example"}) {
			t.Errorf("peers are sent to %q", got)
		}
	case <-testContext(t).Done():
		t.Error("the address of the sibling is not seen")
	}
}

// A seed that is alone has nobody to wait for.
func TestPeersOfALoneSeedAreSentAwayAtOnce(t *testing.T) {
	cfg := testConfig(t)
	cfg.BootstrapFile = writeFile(t, fmt.Sprintf(`{"network":%q,"sequence":1,"seeds":[]}`, t.Name()))
	s := startSeed(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if got := s.awaitElsewhere(ctx); len(got) > 0 {
		t.Errorf("peers are sent to %q", got)
	}
}
