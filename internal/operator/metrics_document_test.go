package operator

import (
	"testing"

	"github.com/peerexchange/peerexchange/internal/metrics"
	"github.com/peerexchange/peerexchange/test/generated"
)

//go:generate go test -count=1 -run ^TestGeneratedMetricsDocument$ . -update

func TestGeneratedMetricsDocument(t *testing.T) {
	generated.Part(t, "../../docs/metrics.md", "internal/operator/metrics.go",
		"\n"+metrics.Table(operatorMetrics)+"\nThe values of their labels, besides `namespace` and `network`, which name a PeerNetwork:\n\n"+metrics.Values(operatorMetrics)+"\n")
}
