package transporttest

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

var negotiateChecks = []check[Subject]{
	{"ContextDoesNotOutliveNegotiate", contextDoesNotOutliveNegotiate},
	{"NegotiateMindsItsContext", negotiateMindsItsContext},
	{"EndOfSignalsEndsNegotiate", endOfSignalsEndsNegotiate},
	{"SignalsAreObjectsAndEndInTime", negotiateWatched},
	{"ManyNegotiations", manyNegotiations},
}

func contextDoesNotOutliveNegotiate(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	a, b := s.negotiate(ctx, t)
	defer a.Close()
	defer b.Close()
	cancel()
	roundTrip(t, ends{a, b})
}

// sides are both sides of a negotiation, each to be tried without the other.
func (s Subject) sides() map[transport.Role]transport.Negotiator {
	return map[transport.Role]transport.Negotiator{
		transport.Initiator: s.Initiator,
		transport.Responder: s.Responder,
	}
}

func negotiateMindsItsContext(t *testing.T, s Subject) {
	for role, side := range s.sides() {
		a, b := NewSignaling()
		ctx, cancel := context.WithCancel(t.Context())
		done := async(func() (any, error) { return side.Negotiate(ctx, role, a) })
		cancel()
		if err := (<-done).err; !errors.Is(err, context.Canceled) {
			t.Errorf("Negotiate as %s with a cancelled context: %v, want context.Canceled", role, err)
		}
		a.Close()
		b.Close()
	}
}

func endOfSignalsEndsNegotiate(t *testing.T, s Subject) {
	for role, side := range s.sides() {
		a, b := NewSignaling()
		b.Close()
		if conn, err := side.Negotiate(t.Context(), role, a); err == nil {
			conn.Close()
			t.Errorf("Negotiate as %s succeeds without the other side", role)
		}
		a.Close()
	}
}

// watched passes signals on and looks at them.
type watched struct {
	transport.Signaling
	t    *testing.T
	over atomic.Bool // Negotiate has returned
}

func (w *watched) Send(ctx context.Context, signal json.RawMessage) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(signal, &object); err != nil || object == nil {
		w.t.Errorf("signal is %.100q, want a JSON object", signal)
	}
	if w.over.Load() {
		w.t.Errorf("signal after Negotiate has returned: %.100q", signal)
	}
	return w.Signaling.Send(ctx, signal)
}

// negotiateWatched makes a connection, uses it and closes it. The signals stay
// open the whole time.
func negotiateWatched(t *testing.T, s Subject) {
	a, b := NewSignaling()
	defer a.Close()
	defer b.Close()
	wa, wb := &watched{Signaling: a, t: t}, &watched{Signaling: b, t: t}
	negotiate := func(side transport.Negotiator, role transport.Role, w *watched) <-chan result[ends] {
		return async(func() (ends, error) {
			conn, err := side.Negotiate(t.Context(), role, w)
			w.over.Store(true)
			return ends{a: conn}, err
		})
	}
	initiated := negotiate(s.Initiator, transport.Initiator, wa)
	responded := negotiate(s.Responder, transport.Responder, wb)
	initiator, responder := <-initiated, <-responded
	for _, got := range []result[ends]{initiator, responder} {
		if got.err != nil {
			t.Errorf("Negotiate: %v", got.err)
			continue
		}
		defer got.value.a.Close()
	}
	if !t.Failed() {
		roundTrip(t, ends{initiator.value.a, responder.value.a})
	}
}

func manyNegotiations(t *testing.T, s Subject) {
	const negotiations = 8
	var done []<-chan result[int]
	for range negotiations {
		done = append(done, async(func() (int, error) {
			negotiateWatched(t, s)
			return 0, nil
		}))
	}
	for _, d := range done {
		<-d
	}
}
