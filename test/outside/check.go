package outside

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
)

// Check runs seed check, the program at the path given, against every address.
func Check(t *testing.T, n Network, seed string) {
	for _, addresses := range n.Seeds {
		for _, address := range addresses {
			t.Run(address, func(t *testing.T) {
				t.Parallel()
				cmd := exec.CommandContext(clients.Context(t), seed, "check", address, "--ca", n.CAFile, "--network-id", n.ID, "--json")
				out, err := cmd.Output()
				var report struct {
					Steps []struct{ Name, Result string }
				}
				if decoding := json.Unmarshal(out, &report); err != nil || decoding != nil {
					t.Fatalf("%v:\n%s", err, out)
				}
				worked := make(map[string]bool)
				for _, step := range report.Steps {
					worked[step.Name] = step.Result == "ok"
				}
				for _, step := range []string{"hello", "introduction", "stun", "turn-udp", "turn-tcp", "turn-tls", "relay-udp", "relay-tcp", "relay-tls"} {
					if !worked[step] {
						t.Errorf("step %s did not work:\n%s", step, out)
					}
				}
			})
		}
	}
}
