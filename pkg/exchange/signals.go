package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"slices"
	"sync"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// maxSignals is how many signals may wait for a negotiation to take them. An npm
// node sends a dozen in all.
const maxSignals = 128

var errRelayEnded = errors.New("signaling relay ended")

// signals is this node's end of a signaling relay of generation 0: one JSON
// object a line. It implements transports.Signaling.
type signals struct {
	// Static after construction.
	p       *Peer
	nonce   string
	carries int // bytes a second that the relay carries if the negotiation fails, or 0
	channel *mux.Channel
	queue   chan json.RawMessage
	ended   chan struct{} // closed once no more will come
	once    sync.Once
	gaveUp  chan struct{} // closed once the other end's negotiation has failed
	heard   chan struct{} // closed once the other end has said anything

	// Owned by the read loop.
	lines wire.Lines
}

// newSignals opens the channel. The caller closes it. relayed is what the node in
// the middle says that it carries.
func newSignals(p *Peer, nonce string, relayed int) (*signals, error) {
	s := &signals{
		p:      p,
		nonce:  nonce,
		queue:  make(chan json.RawMessage, maxSignals),
		ended:  make(chan struct{}),
		gaveUp: make(chan struct{}),
		heard:  make(chan struct{}),
		lines:  wire.Lines{Max: p.ex.limits.signalBytes()},
	}
	if p.knows(featureRelayed) {
		s.carries = relayed
	}
	channel, err := p.session.Channel("relay:"+nonce, (*signalReceiver)(s))
	if err != nil {
		return nil, err
	}
	s.channel = channel
	if !p.attach(s) {
		s.channel.Close()
		return nil, p.Err()
	}
	return s, nil
}

// signalReceiver is the side of signals that the session's read loop sees.
type signalReceiver signals

// Receive implements mux.Receiver. Nonsense in a relay ends the relay, not the
// peer that passes it on.
func (r *signalReceiver) Receive(piece []byte) error {
	err := r.lines.Feed(piece, func(line []byte) error {
		if !isClosed(r.heard) {
			close(r.heard)
		}
		if r.carries > 0 && string(line) == wire.RelayedSignal {
			return r.giveUp()
		}
		select {
		case <-r.ended:
			return errRelayEnded
		case r.queue <- slices.Clone(line):
			return nil
		default:
			return ErrLimit
		}
	})
	if err != nil {
		r.End()
	}
	return nil
}

// End implements mux.Receiver.
func (r *signalReceiver) End() { r.once.Do(func() { close(r.ended) }) }

// close ends both halves of the channel.
func (s *signals) close() {
	s.p.detach(s)
	(*signalReceiver)(s).End()
	s.channel.Close()
}

// Send implements transports.Signaling.
func (s *signals) Send(_ context.Context, signal json.RawMessage) error {
	select {
	case <-s.ended:
		return errRelayEnded
	default:
	}
	return s.channel.Send(append(slices.Clip(signal), '\n'))
}

// Receive implements transports.Signaling.
func (s *signals) Receive(ctx context.Context) (json.RawMessage, error) {
	return nextSignal(ctx, s.queue, s.ended)
}

// nextSignal waits for a signal, and gives out those that came before the end.
func nextSignal(ctx context.Context, queue <-chan json.RawMessage, ended <-chan struct{}) (json.RawMessage, error) {
	select {
	case signal := <-queue:
		return signal, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-ended:
	}
	select {
	case signal := <-queue:
		return signal, nil
	default:
		return nil, io.EOF
	}
}

// Introducer implements transports.Introduced.
func (s *signals) Introducer() netip.Addr { return s.p.introducesFrom() }

// peerEnded implements closer.
func (s *signals) peerEnded(*Peer) { (*signalReceiver)(s).End() }
