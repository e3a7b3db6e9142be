package exchange

import (
	"context"
	"fmt"
	"slices"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// answer is what a peer said to getPeer. For a negotiated candidate the relay is
// open already, since its first bytes may follow the answer at once.
type answer struct {
	wire.Answer
	signals *signals
}

func (v *v0) newConn(ctx context.Context) (*connected, error) {
	reqID := newID()
	answers := make(chan answer, 1)
	if !v.expect(reqID, answers) {
		return nil, v.p.Err()
	}
	defer v.forget(reqID)
	var exclude []string
	if v.p.knows(featureExclude) {
		exclude = v.p.ex.connectedNames(maxExcluded)
	}
	if err := v.send(wire.AppendGetPeer(nil, reqID, exclude)); err != nil {
		return nil, err
	}
	select {
	case a := <-answers:
		return v.follow(ctx, a)
	case <-v.p.done:
		return nil, fmt.Errorf("asked peer: %w", orEOF(v.p.Err()))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// maxExcluded is how many instances and aliases a getPeer names: about 2 KiB of them.
const maxExcluded = 64

func (v *v0) expect(reqID string, answers chan answer) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.p.isClosed() {
		return false
	}
	if v.pending == nil {
		v.pending = make(map[string]chan answer)
	}
	v.pending[reqID] = answers
	return true
}

// forget ends a request. An answer that was not followed takes its relay along.
func (v *v0) forget(reqID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	answers := v.pending[reqID]
	delete(v.pending, reqID)
	select {
	case a := <-answers:
		a.close()
	default:
	}
}

// onAnswer takes any message with an unknown command: an answer's command is the
// id of the request. A second answer finds no request any more.
func (v *v0) onAnswer(m *wire.V0) {
	v.mu.Lock()
	defer v.mu.Unlock()
	answers := v.pending[m.Name]
	if answers == nil || len(answers) > 0 {
		return
	}
	a := answer{Answer: wire.Answer{
		Transport: m.Transport, Address: m.Address, Nonce: m.Nonce, Opts: slices.Clone(m.Opts), Alias: m.Alias,
	}}
	_, negotiated := v.p.ex.transports[m.Transport].(transports.Negotiator)
	if negotiated && m.Nonce != "" {
		signals, err := newSignals(v.p, m.Nonce, m.Relayed)
		if err == nil {
			a.signals = signals
		}
	}
	answers <- a
}

func (a answer) close() {
	if a.signals != nil {
		a.signals.close()
	}
}

// follow connects to whom an answer names.
func (v *v0) follow(ctx context.Context, a answer) (*connected, error) {
	defer a.close()
	if a.Transport == "" || a.Address == "" {
		return nil, ErrNoCandidates
	}
	t, ok := v.p.ex.transports[a.Transport]
	if !ok {
		return nil, fmt.Errorf("%w: peer offered %.64q", ErrUnknownTransport, a.Transport)
	}
	if negotiator, ok := t.(transports.Negotiator); ok {
		if a.signals == nil {
			return nil, fmt.Errorf("%w: no relay for the offered candidate", ErrProtocol)
		}
		conn, transport, err := a.signals.negotiate(ctx, negotiator, transports.Initiator)
		if err != nil {
			return nil, fmt.Errorf("negotiate %s: %w", a.Transport, err)
		}
		return &connected{conn: conn, transport: transport, protocol: V0, alias: a.Alias}, nil
	}
	return v.p.ex.dialOffer(ctx, v.p, a.Answer)
}
