//go:build interop

package interop

import "testing"

// TestConnect has every kind of node dial every kind, over everything that the
// two can speak.
func TestConnect(t *testing.T) {
	for _, gen := range generations {
		for _, l := range []link{{"tcp", false}, {"tcp", true}, {"websocket", false}, {"websocket", true}} {
			for _, dials := range both {
				for _, accepts := range both {
					if !anyGo(dials, accepts) {
						continue
					}
					// The published v0 client cannot listen with TLS, and knows none over tcp.
					if gen == v0 && l.secure && (accepts.label == "js" || dials.label == "js" && l.transport == "tcp") {
						continue
					}
					t.Run(string(gen)+"/"+l.String()+"/"+dials.label+"-dials-"+accepts.label, func(t *testing.T) {
						t.Parallel()
						connectDirectly(newScenario(t), gen, l, dials, accepts)
					})
				}
			}
		}
	}
}

func connectDirectly(s scenario, gen generation, l link, dials, accepts maker) {
	acceptor := accepts.start(s.T, gen, "acceptor")
	dialer := dials.start(s.T, gen, "dialer")

	at := s.accept(acceptor, l)
	to := s.connect(dialer, at)
	s.echo(dialer, to, payload, "acceptor")
	back := s.await(acceptor, "dialer")
	s.echo(acceptor, back, payload, "dialer")

	// The two know nobody but each other.
	_, err := dialer.getNewPeer(s.ctx, to)
	wantNoCandidates(s.T, gen, dialer, err)
	_, err = acceptor.getNewPeer(s.ctx, back)
	wantNoCandidates(s.T, gen, acceptor, err)

	// Whoever ends it: to both it is an ordinary end.
	s.must(dialer.disconnect(s.ctx, to))
	s.awaitCount(acceptor, 0)
	s.awaitCount(dialer, 0)
	to = s.connect(dialer, at)
	s.echo(dialer, to, 1, "acceptor")
	s.must(acceptor.disconnect(s.ctx, s.await(acceptor, "dialer")))
	s.awaitCount(dialer, 0)
	s.awaitCount(acceptor, 0)
	// One more connection, so that both have got over the end of the last one.
	s.echo(dialer, s.connect(dialer, at), 1, "acceptor")
	s.noTroubles(dialer, acceptor)
}
