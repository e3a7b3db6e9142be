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
	"github.com/peerexchange/peerexchange/test/clients"
)

func verifies(cfg *clients.GoConfig) { cfg.VerifyCandidates = true }

// awaitCheck waits until a check of a candidate has come out like this.
func awaitCheck(s clients.Scenario, n *clients.GoNode, result exchange.CheckResult) {
	s.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for n.Exchange.Stats().Checks[result] == 0 {
		select {
		case <-look.C:
		case <-s.Ctx.Done():
			s.Fatalf("checks came out as %v, want %s", n.Exchange.Stats().Checks, result)
		}
	}
}

// TestCandidateIsDialedBack has a seed look whether a candidate is where it says.
// The candidate's application is told of no peer and of no error, and others are
// led to it.
func TestCandidateIsDialedBack(t *testing.T) {
	for _, l := range []clients.Link{clients.TCP, clients.WS} {
		for _, isFound := range both {
			for _, asks := range both {
				t.Run(l.String()+"/"+asks.Label+"-asks-for-"+isFound.Label, func(t *testing.T) {
					t.Parallel()
					s := clients.NewScenario(t)
					seed := lab.StartGo(t, clients.V0, "seed", verifies)
					candidate := isFound.Start(t, clients.V0, "candidate")
					at := s.Accept(seed, l)
					toSeed := s.Connect(candidate, at)
					s.Accept(candidate, l)
					awaitCheck(s, seed, exchange.CheckPassed)
					// What the candidate has to say of the check comes before its echo.
					s.Echo(candidate, toSeed, clients.Payload, "seed")
					if peers := candidate.Peers(); len(peers) != 1 {
						t.Errorf("the candidate has the peers %+v, want the seed", peers)
					}
					s.NoTroubles(candidate)

					asker := asks.Start(t, clients.V0, "asker")
					found := s.GetNewPeer(asker, s.Connect(asker, at), candidate)
					s.Echo(asker, found, clients.Payload, "candidate")
					s.Echo(candidate, s.Await(candidate, "asker"), clients.Payload, "asker")
					if peers := candidate.Peers(); len(peers) != 2 {
						t.Errorf("the candidate has the peers %+v, want the seed and the asker", peers)
					}
					s.NoTroubles(candidate, asker)
				})
			}
		}
	}
}

// TestCandidateWithAName has a node that is reached under a name, over TLS, and
// askers of every kind that is led to it by that name.
func TestCandidateWithAName(t *testing.T) {
	for _, asks := range []clients.Maker{inGo, inNode, inTab} {
		t.Run(asks.Label, func(t *testing.T) {
			t.Parallel()
			s := clients.NewScenario(t)
			ways := websocket.New(websocket.Config{})
			l, err := ways.Listen(s.Ctx, transports.Options{Host: "127.0.0.1", Secure: true, TLS: lab.ServerTLS()})
			s.Must(err)
			public := fmt.Sprintf("wss://localhost:%d", l.Addr().(*net.TCPAddr).Port)
			seed := lab.StartGo(t, clients.V0, "seed", verifies)
			candidate := lab.StartGo(t, clients.V0, "candidate", func(cfg *clients.GoConfig) { cfg.Addresses = []string{public} })
			go candidate.Exchange.Serve(l, transports.WebSocket) // until the candidate is closed
			at := s.Accept(seed, clients.WS)
			s.Connect(candidate, at)
			awaitCheck(s, seed, exchange.CheckPassed)

			asker := asks.Start(t, clients.V0, "asker")
			found := s.GetNewPeer(asker, s.Connect(asker, at), candidate)
			s.Echo(asker, found, clients.Payload, "candidate")
			s.Echo(candidate, s.Await(candidate, "asker"), clients.Payload, "asker")
			s.NoTroubles(asker)
			if node, ok := asker.(*clients.GoNode); ok {
				p, err := node.Peer(found)
				s.Must(err)
				if got := p.DialedURL(); got != public {
					t.Errorf("dialed %s, want %s", got, public)
				}
			}
		})
	}
}

// TestStrangersSurviveChecks has a seed look for a candidate where published
// nodes listen that it has nothing to do with: they go on as before.
func TestStrangersSurviveChecks(t *testing.T) {
	for _, gen := range clients.Generations {
		for _, l := range []clients.Link{clients.TCP, clients.WS} {
			t.Run(string(gen)+"/"+l.String(), func(t *testing.T) {
				t.Parallel()
				s := clients.NewScenario(t)
				stranger := inNode.Start(t, gen, "stranger")
				at := s.Accept(stranger, l)
				seed := lab.StartGo(t, clients.V0, "seed", verifies)
				liar := lab.StartGo(t, clients.V0, "liar", func(cfg *clients.GoConfig) {
					cfg.Transports = []transports.Transport{pretender{tcp.New(tcp.Config{}), l.Transport, at.Port}}
				})
				s.Must(liar.Exchange.Accept(s.Ctx, l.Transport, transports.Options{Host: at.Host}))
				to := s.Accept(seed, clients.TCP)
				opts := transports.Options{Port: to.Port}
				_, err := liar.Exchange.Connect(s.Ctx, l.Transport, to.Host, opts)
				s.Must(err)
				want := exchange.CheckStranger // who has no instance, as the liar has
				if gen == clients.V1 {
					want = exchange.CheckUnreachable // who speaks otherwise
				}
				awaitCheck(s, seed, want)

				visitor := inGo.Start(t, gen, "visitor")
				s.Echo(visitor, s.Connect(visitor, at), clients.Payload, "stranger")
				s.Echo(stranger, s.Await(stranger, "visitor"), clients.Payload, "visitor")
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
