package check

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/peerexchange/peerexchange/internal/seed"
)

// TestMembersOnly checks a seed that takes nobody else, with and without a token.
func TestMembersOnly(t *testing.T) {
	const token = "a-token-of-the-members"
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	urls, ca := startSeed(t, func(c *seed.Config) { c.Access, c.TokenFile, c.WebRTCListen = seed.AccessToken, file, "" })
	for _, scheme := range []string{"wss", "tls"} {
		report := run(t, Config{URL: urls[scheme], CAFile: ca, Token: token})
		if !report.OK {
			t.Errorf("%s: %+v", scheme, report)
		}
		want(t, report, "relay-tls", OK, "introduced by the seed")
		for token, words := range map[string][]string{"": {"--token"}, "another": {"does not take this token"}} {
			report := run(t, Config{URL: urls[scheme], CAFile: ca, NetworkID: "net", Token: token})
			want(t, report, "ice", Failed, append(words, "401")...)
			if scheme == "wss" {
				want(t, report, "websocket", Failed, words...)
			} else {
				want(t, report, "hello", Failed, words...)
			}
		}
	}
}
