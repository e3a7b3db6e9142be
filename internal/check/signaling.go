package check

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
)

// maxLocalSignals is how many signals wait to be taken: a negotiation has fewer.
const maxLocalSignals = 256

// localSignaling passes signals within this program, where no seed does.
type localSignaling struct {
	in  <-chan json.RawMessage
	out chan<- json.RawMessage
}

func newLocalSignaling() (a, b localSignaling) {
	ab, ba := make(chan json.RawMessage, maxLocalSignals), make(chan json.RawMessage, maxLocalSignals)
	return localSignaling{ba, ab}, localSignaling{ab, ba}
}

// Send implements transports.Signaling.
func (s localSignaling) Send(ctx context.Context, signal json.RawMessage) error {
	select {
	case s.out <- signal:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Receive implements transports.Signaling.
func (s localSignaling) Receive(ctx context.Context) (json.RawMessage, error) {
	select {
	case signal := <-s.in:
		return signal, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// meetLocally is pair.meet without a seed.
func meetLocally(ctx context.Context, ways [2]*webrtc.Transport) (*webrtc.Conn, error) {
	var conns [2]net.Conn
	a, b := newLocalSignaling()
	group, negotiating := errgroup.WithContext(ctx)
	for i, signals := range []localSignaling{a, b} {
		group.Go(func() (err error) {
			conns[i], err = ways[i].Negotiate(negotiating, transports.Role(i), signals)
			return err
		})
	}
	err := group.Wait()
	for _, conn := range conns {
		if conn != nil {
			defer conn.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	var echoing sync.WaitGroup
	defer echoing.Wait()
	defer conns[1].Close()
	echoing.Go(func() { _, _ = io.Copy(conns[1], conns[1]) })
	return conns[0].(*webrtc.Conn), bounce(ctx, conns[0])
}
