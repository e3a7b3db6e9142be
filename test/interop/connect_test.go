//go:build interop

package interop

import (
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
)

// TestConnect has every kind of node dial every kind, over everything that the
// two can speak.
func TestConnect(t *testing.T) {
	for _, gen := range clients.Generations {
		for _, l := range []clients.Link{clients.TCP, clients.TLS, clients.WS, clients.WSS} {
			for _, dials := range both {
				for _, accepts := range both {
					if !clients.AnyGo(dials, accepts) {
						continue
					}
					// The published v0 client cannot listen with TLS, and knows none over tcp.
					if gen == clients.V0 && l.Secure && (accepts.Label == "js" || dials.Label == "js" && l.Transport == "tcp") {
						continue
					}
					t.Run(string(gen)+"/"+l.String()+"/"+dials.Label+"-dials-"+accepts.Label, func(t *testing.T) {
						t.Parallel()
						connectDirectly(clients.NewScenario(t), gen, l, dials, accepts)
					})
				}
			}
		}
	}
}

func connectDirectly(s clients.Scenario, gen clients.Generation, l clients.Link, dials, accepts clients.Maker) {
	acceptor := accepts.Start(s.T, gen, "acceptor")
	dialer := dials.Start(s.T, gen, "dialer")

	at := s.Accept(acceptor, l)
	to := s.Connect(dialer, at)
	s.Echo(dialer, to, clients.Payload, "acceptor")
	back := s.Await(acceptor, "dialer")
	s.Echo(acceptor, back, clients.Payload, "dialer")

	// The two know nobody but each other.
	_, err := dialer.GetNewPeer(s.Ctx, to)
	wantNoCandidates(s.T, gen, dialer, err)
	_, err = acceptor.GetNewPeer(s.Ctx, back)
	wantNoCandidates(s.T, gen, acceptor, err)

	// Whoever ends it: to both it is an ordinary end.
	s.Must(dialer.Disconnect(s.Ctx, to))
	s.AwaitCount(acceptor, 0)
	s.AwaitCount(dialer, 0)
	to = s.Connect(dialer, at)
	s.Echo(dialer, to, 1, "acceptor")
	s.Must(acceptor.Disconnect(s.Ctx, s.Await(acceptor, "dialer")))
	s.AwaitCount(dialer, 0)
	s.AwaitCount(acceptor, 0)
	// One more connection, so that both have got over the end of the last one.
	s.Echo(dialer, s.Connect(dialer, at), 1, "acceptor")
	s.NoTroubles(dialer, acceptor)
}
