package helm

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The dashboard asks for metrics that seeds have.
func TestDashboard(t *testing.T) {
	content, err := os.ReadFile("peer-exchange/files/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(content) {
		t.Fatal("the dashboard is no JSON")
	}
	documented, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`\bseed_[a-z_]+`).FindAllString(string(content), -1)
	if len(names) == 0 {
		t.Fatal("the dashboard asks for nothing")
	}
	for _, name := range names {
		if !strings.Contains(string(documented), "| `"+name+"` |") {
			t.Errorf("%s is not in docs/metrics.md", name)
		}
	}
}
