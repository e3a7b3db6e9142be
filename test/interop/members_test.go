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
	"github.com/peerexchange/peerexchange/test/clients"
)

// TestMembers runs a seed for members. The npm clients of both clients.Generations, as
// they are published, present a token in the URL, in Node and in Chromium: they
// and Go nodes find each other, and strangers are told that they may not.
func TestMembers(t *testing.T) {
	for _, gen := range clients.Generations {
		t.Run(string(gen), func(t *testing.T) {
			t.Parallel()
			membersMeet(clients.NewScenario(t), gen)
		})
	}
}

func membersMeet(s clients.Scenario, gen clients.Generation) {
	const token = "the+token/of=this&test?" // which has to be escaped in a URL
	file := filepath.Join(s.TempDir(), "tokens")
	s.Must(os.WriteFile(file, []byte(token+"\n"), 0o600))
	seed := authority.Start(s.T, s.Name(), "--turn-listen", "off", "--access", "token", "--token-file", file)

	ways := []struct {
		clients.Maker
		to clients.Endpoint
	}{
		{inNode, seed.Plain.Over("websocket")},
		{inNode, seed.Secure.Over("websocket")},
		{inTab, seed.Secure.Over("websocket")},
		{inGo, seed.Secure.Over("websocket")},
		{inGo, seed.Plain.Over("websocket")},
	}
	nodes := make([]clients.Node, len(ways))
	names := make([]string, len(ways))
	via := make([]int, len(ways))
	for i, way := range ways {
		names[i] = string(gen) + "-" + way.Label + "-" + string(rune('0'+i))
		for _, bad := range []string{"", "not-the-token-of-this-test"} {
			stranger := way.Start(s.T, gen, "stranger-"+names[i])
			to := way.to
			to.Token = bad
			_, err := stranger.Connect(s.Ctx, to)
			wantRefused(s, stranger, err)
		}
		nodes[i] = way.Start(s.T, gen, names[i])
		s.AcceptWebRTC(nodes[i])
		to := way.to
		to.Token = token
		via[i] = s.Connect(nodes[i], to)
	}
	var all errgroup.Group
	for i, node := range nodes {
		all.Go(func() error { return clients.FindAll(s.Ctx, node, via[i], names[i], names) })
	}
	s.Must(all.Wait())
	for _, text := range []string{seed.Log.String(), seed.Out.String()} {
		if strings.Contains(text, token) || strings.Contains(text, "not-the-token") {
			s.Error("the seed logged or printed a token")
		}
	}
}

// wantRefused checks what a stranger is told: that of the websocket's client, to
// whom a page's browser says nothing.
func wantRefused(s clients.Scenario, stranger clients.Node, err error) {
	s.Helper()
	switch {
	case err == nil:
		s.Fatal("a stranger was let in")
	case stranger.IsGo() && !errors.Is(err, exchange.ErrUnauthorized):
		s.Errorf("a Go node is told %v", err)
	case stranger.InNode() && !strings.Contains(err.Error(), "unexpected server response (401)"):
		s.Errorf("a Node client is told %v", err)
	}
	if len(stranger.Peers()) != 0 {
		s.Errorf("a stranger has the peers %+v", stranger.Peers())
	}
}
