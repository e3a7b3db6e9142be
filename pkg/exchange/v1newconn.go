package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

func (v *v1) newConn(ctx context.Context) (*connected, error) {
	ex := v.p.ex
	negotiator, ok := ex.transports[transports.WebRTC].(transports.Negotiator)
	if !ok {
		return nil, fmt.Errorf("%w: generation 1 connects over webrtc only", ErrUnknownTransport)
	}
	args, err := v.askForPeers(ctx)
	if err != nil {
		return nil, err
	}
	candidates, err := wire.DecodeCandidates(args)
	if err != nil {
		return nil, fmt.Errorf("getpeers: %w", err)
	}
	candidates = slices.DeleteFunc(candidates, func(c wire.Candidate) bool {
		_, ok := candidateInfo(c.ConnectInfo)
		return !ok
	})
	if len(candidates) == 0 {
		return nil, ErrNoCandidates
	}
	chosen := candidates[rand.IntN(len(candidates))]
	n, err := v.relayTo(ctx, chosen.ID)
	if err != nil {
		return nil, err
	}
	defer n.close()
	if err := n.begin(acceptingNobody); err != nil {
		return nil, err
	}
	if err := n.greeted(ctx); err != nil {
		return nil, fmt.Errorf("handshake in relay: %w", err)
	}
	conn, err := negotiator.Negotiate(ctx, transports.Initiator, n)
	if err != nil {
		return nil, fmt.Errorf("negotiate webrtc: %w", err)
	}
	return &connected{conn: conn, transport: transports.WebRTC, protocol: V1}, nil
}

// relayTo asks for a relay to a candidate. The relay's first bytes may follow the
// answer at once, so the read loop opens this node's end of it.
func (v *v1) relayTo(ctx context.Context, id string) (*nested, error) {
	type result struct {
		nested *nested
		err    error
	}
	results := make(chan result, 1)
	// Whoever gave up waiting and whoever comes too late each look for the other.
	abandon := func() {
		select {
		case r := <-results:
			if r.nested != nil {
				r.nested.close()
			}
		default:
		}
	}
	nonce := v.expect(func(args json.RawMessage) error {
		if text, failed := wire.ResError(args); failed {
			results <- result{nil, fmt.Errorf("relay: peer says %.128q", text)}
			return nil
		}
		n, err := newNested(v.p, "relay:"+id)
		results <- result{n, err}
		if ctx.Err() != nil {
			abandon()
		}
		return nil
	})
	defer v.forget(nonce)
	if err := v.send(wire.AppendV1Relay(nil, nonce, id)); err != nil {
		return nil, err
	}
	select {
	case r := <-results:
		return r.nested, r.err
	case <-v.p.done:
		abandon()
		return nil, fmt.Errorf("asked peer: %w", v.p.Err())
	case <-ctx.Done():
		abandon()
		return nil, ctx.Err()
	}
}

// askForPeers sends getpeers and waits for the args of the answer.
func (v *v1) askForPeers(ctx context.Context) (json.RawMessage, error) {
	answers := make(chan json.RawMessage, 1)
	nonce := v.expect(func(args json.RawMessage) error {
		answers <- slices.Clone(args)
		return nil
	})
	defer v.forget(nonce)
	if err := v.send(wire.AppendV1GetPeers(nil, nonce, v.p.ex.id)); err != nil {
		return nil, err
	}
	select {
	case args := <-answers:
		return args, nil
	case <-v.p.done:
		return nil, fmt.Errorf("asked peer: %w", v.p.Err())
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
