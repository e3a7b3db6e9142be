package transporttest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"sync"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// signalsBuffered is how many signals wait at most before Send blocks.
const signalsBuffered = 64

// Signaling is one side of an exchange of signals within this process.
type Signaling struct {
	// Static after construction.
	out  chan<- json.RawMessage
	in   <-chan json.RawMessage
	end  chan struct{} // closed by Close
	gone chan struct{} // the other side's end

	once sync.Once
}

var _ transport.Signaling = (*Signaling)(nil)

// NewSignaling makes the two sides.
func NewSignaling() (*Signaling, *Signaling) {
	ab := make(chan json.RawMessage, signalsBuffered)
	ba := make(chan json.RawMessage, signalsBuffered)
	a := &Signaling{out: ab, in: ba, end: make(chan struct{})}
	b := &Signaling{out: ba, in: ab, end: make(chan struct{}), gone: a.end}
	a.gone = b.end
	return a, b
}

// Send implements transport.Signaling.
func (s *Signaling) Send(ctx context.Context, signal json.RawMessage) error {
	select {
	case <-s.end:
		return net.ErrClosed
	case <-s.gone:
		return io.ErrClosedPipe
	default:
	}
	select {
	case s.out <- bytes.Clone(signal):
		return nil
	case <-s.end:
		return net.ErrClosed
	case <-s.gone:
		return io.ErrClosedPipe
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Receive implements transport.Signaling.
func (s *Signaling) Receive(ctx context.Context) (json.RawMessage, error) {
	select {
	case signal := <-s.in:
		return signal, nil
	case <-s.end:
		return nil, net.ErrClosed
	case <-s.gone:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case signal := <-s.in: // sent before the end
		return signal, nil
	default:
		return nil, io.EOF
	}
}

// Close ends this side: the other one reads io.EOF after what was sent.
func (s *Signaling) Close() { s.once.Do(func() { close(s.end) }) }
