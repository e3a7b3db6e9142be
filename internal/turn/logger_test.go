package turn

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/pion/stun"
)

// record is what was logged, for reading while there may be more.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// TestDeniedPeersAreForDebugging has a client ask for a private address, as all do
// whose peers have one: that is not for an operator's eyes.
func TestDeniedPeersAreForDebugging(t *testing.T) {
	for _, test := range []struct {
		level  slog.Level
		logged bool
	}{{slog.LevelInfo, false}, {slog.LevelDebug, true}} {
		t.Run(test.level.String(), func(t *testing.T) {
			log := &record{}
			cfg := testConfig(t)
			cfg.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: test.level}))
			c := newClient(t, start(t, cfg), TransportUDP)
			c.allocate()
			if code := c.permit(netip.MustParseAddrPort("10.0.0.1:9")); code != stun.CodeForbidden {
				t.Fatalf("the answer is %d", code)
			}
			if logged := strings.Contains(log.String(), `msg="permission denied" reason=private`); logged != test.logged {
				t.Errorf("logged: %v, want %v:\n%s", logged, test.logged, log)
			}
		})
	}
}
