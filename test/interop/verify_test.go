//go:build interop

package interop

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

func verifies(cfg *exchange.Config) { cfg.VerifyCandidates = true }

// awaitCheck waits until a check of a candidate has come out like this.
func (n *goNode) awaitCheck(s scenario, result exchange.CheckResult) {
	s.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for n.ex.Stats().Checks[result] == 0 {
		select {
		case <-look.C:
		case <-s.ctx.Done():
			s.Fatalf("checks came out as %v, want %s", n.ex.Stats().Checks, result)
		}
	}
}

// TestCandidateIsDialedBack has a seed look whether a candidate is where it says.
// The candidate's application is told of no peer and of no error, and others are
// led to it.
func TestCandidateIsDialedBack(t *testing.T) {
	for _, l := range []link{{"tcp", false}, {"websocket", false}} {
		for _, isFound := range both {
			for _, asks := range both {
				t.Run(l.String()+"/"+asks.label+"-asks-for-"+isFound.label, func(t *testing.T) {
					t.Parallel()
					s := newScenario(t)
					seed := startGo(t, v0, "seed", verifies)
					candidate := isFound.start(t, v0, "candidate")
					at := s.accept(seed, l)
					toSeed := s.connect(candidate, at)
					s.accept(candidate, l)
					seed.awaitCheck(s, exchange.CheckPassed)
					// What the candidate has to say of the check comes before its echo.
					s.echo(candidate, toSeed, payload, "seed")
					if peers := candidate.peers(); len(peers) != 1 {
						t.Errorf("the candidate has the peers %+v, want the seed", peers)
					}
					s.noTroubles(candidate)

					asker := asks.start(t, v0, "asker")
					found := s.getNewPeer(asker, s.connect(asker, at), candidate)
					s.echo(asker, found, payload, "candidate")
					s.echo(candidate, s.await(candidate, "asker"), payload, "asker")
					if peers := candidate.peers(); len(peers) != 2 {
						t.Errorf("the candidate has the peers %+v, want the seed and the asker", peers)
					}
					s.noTroubles(candidate, asker)
				})
			}
		}
	}
}

// TestCandidateWithAName has a node that is reached under a name, over TLS, and
// askers of every kind that is led to it by that name.
func TestCandidateWithAName(t *testing.T) {
	for _, asks := range []maker{inGo, inNode, inTab} {
		t.Run(asks.label, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			ways := websocket.New(websocket.Config{})
			l, err := ways.Listen(s.ctx, transports.Options{Host: "127.0.0.1", Secure: true, TLS: suite.pki.server})
			s.must(err)
			public := fmt.Sprintf("wss://localhost:%d", l.Addr().(*net.TCPAddr).Port)
			seed := startGo(t, v0, "seed", verifies)
			candidate := startGo(t, v0, "candidate", func(cfg *exchange.Config) { cfg.Addresses = []string{public} })
			go candidate.ex.Serve(l, transports.WebSocket) // until the candidate is closed
			at := s.accept(seed, link{transport: "websocket"})
			s.connect(candidate, at)
			seed.awaitCheck(s, exchange.CheckPassed)

			asker := asks.start(t, v0, "asker")
			found := s.getNewPeer(asker, s.connect(asker, at), candidate)
			s.echo(asker, found, payload, "candidate")
			s.echo(candidate, s.await(candidate, "asker"), payload, "asker")
			s.noTroubles(asker)
			if node, ok := asker.(*goNode); ok {
				k, err := node.talkTo(found)
				s.must(err)
				if got := k.peer.DialedURL(); got != public {
					t.Errorf("dialed %s, want %s", got, public)
				}
			}
		})
	}
}

// TestStrangersSurviveChecks has a seed look for a candidate where published
// nodes listen that it has nothing to do with: they go on as before.
func TestStrangersSurviveChecks(t *testing.T) {
	for _, gen := range generations {
		for _, l := range []link{{"tcp", false}, {"websocket", false}} {
			t.Run(string(gen)+"/"+l.String(), func(t *testing.T) {
				t.Parallel()
				s := newScenario(t)
				stranger := inNode.start(t, gen, "stranger")
				at := s.accept(stranger, l)
				seed := startGo(t, v0, "seed", verifies)
				liar := startGo(t, v0, "liar", func(cfg *exchange.Config) {
					cfg.Transports = []transports.Transport{pretender{tcp.New(tcp.Config{}), l.transport, at.port}}
				})
				s.must(liar.ex.Accept(s.ctx, l.transport, transports.Options{Host: at.host}))
				to := s.accept(seed, link{transport: "tcp"})
				opts := transports.Options{Port: to.port}
				_, err := liar.ex.Connect(s.ctx, l.transport, to.host, opts)
				s.must(err)
				want := exchange.CheckStranger // who has no instance, as the liar has
				if gen == v1 {
					want = exchange.CheckUnreachable // who speaks otherwise
				}
				seed.awaitCheck(s, want)

				visitor := inGo.start(t, gen, "visitor")
				s.echo(visitor, s.connect(visitor, at), payload, "stranger")
				s.echo(stranger, s.await(stranger, "visitor"), payload, "visitor")
			})
		}
	}
}

// pretender is tcp under any name. It says that it listens on a port where
// somebody else does.
type pretender struct {
	*tcp.Transport
	name string
	port int
}

func (p pretender) Name() string { return p.name }

func (p pretender) Listen(ctx context.Context, opts transports.Options) (net.Listener, error) {
	l, err := p.Transport.Listen(ctx, opts)
	if err != nil {
		return nil, err
	}
	return elsewhere{l, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: p.port}}, nil
}

type elsewhere struct {
	net.Listener
	addr net.Addr
}

func (e elsewhere) Addr() net.Addr { return e.addr }
