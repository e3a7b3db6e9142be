package seed

import (
	"testing"

	"github.com/peerexchange/peerexchange/internal/metrics"
	"github.com/peerexchange/peerexchange/test/generated"
)

//go:generate go test -count=1 -run ^TestGeneratedMetricsDocument$ . -update

func TestGeneratedMetricsDocument(t *testing.T) {
	generated.Part(t, "../../docs/metrics.md", "internal/seed/metrics.go",
		"\n"+metrics.Table(seedMetrics)+"\nThe values of their labels:\n\n"+metrics.Values(seedMetrics)+"\n")
}
