//go:build interop

package interop

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// TestMembers runs a seed for members. The npm clients of both generations, as
// they are published, present a token in the URL, in Node and in Chromium: they
// and Go nodes find each other, and strangers are told that they may not.
func TestMembers(t *testing.T) {
	for _, gen := range generations {
		t.Run(string(gen), func(t *testing.T) {
			t.Parallel()
			membersMeet(newScenario(t), gen)
		})
	}
}

func membersMeet(s scenario, gen generation) {
	const token = "the+token/of=this&test?" // which has to be escaped in a URL
	file := filepath.Join(s.TempDir(), "tokens")
	s.must(os.WriteFile(file, []byte(token+"\n"), 0o600))
	seed := startSeedCommand(s.T, "--turn-listen", "off", "--access", "token", "--token-file", file)

	ways := []struct {
		maker
		to endpoint
	}{
		{inNode, seed.plain.over("websocket")},
		{inNode, seed.secure.over("websocket")},
		{inTab, seed.secure.over("websocket")},
		{inGo, seed.secure.over("websocket")},
		{inGo, seed.plain.over("websocket")},
	}
	nodes := make([]participant, len(ways))
	names := make([]string, len(ways))
	via := make([]int, len(ways))
	for i, way := range ways {
		names[i] = string(gen) + "-" + way.label + "-" + string(rune('0'+i))
		for _, bad := range []string{"", "not-the-token-of-this-test"} {
			stranger := way.start(s.T, gen, "stranger-"+names[i])
			to := way.to
			to.token = bad
			_, err := stranger.connect(s.ctx, to)
			s.wantRefused(stranger, err)
		}
		nodes[i] = way.start(s.T, gen, names[i])
		s.acceptWebRTC(nodes[i])
		to := way.to
		to.token = token
		via[i] = s.connect(nodes[i], to)
	}
	var all errgroup.Group
	for i, node := range nodes {
		all.Go(func() error { return findAll(s.ctx, node, via[i], names[i], names) })
	}
	s.must(all.Wait())
	for _, text := range []string{seed.log.String(), seed.out.String()} {
		if strings.Contains(text, token) || strings.Contains(text, "not-the-token") {
			s.Error("the seed logged or printed a token")
		}
	}
}

// wantRefused checks what a stranger is told: that of the websocket's client, to
// whom a page's browser says nothing.
func (s scenario) wantRefused(stranger participant, err error) {
	s.Helper()
	switch {
	case err == nil:
		s.Fatal("a stranger was let in")
	case stranger.isGo() && !errors.Is(err, exchange.ErrUnauthorized):
		s.Errorf("a Go node is told %v", err)
	case stranger.inNode() && !strings.Contains(err.Error(), "unexpected server response (401)"):
		s.Errorf("a Node client is told %v", err)
	}
	if len(stranger.peers()) != 0 {
		s.Errorf("a stranger has the peers %+v", stranger.peers())
	}
}
