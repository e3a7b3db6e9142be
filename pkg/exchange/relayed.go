package exchange

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// Relay is what Peer.Transport says of a connection that goes through the node
// that has introduced the peer; see Config.AllowRelayedData. It is no transport
// that can be asked for.
const Relay = "relay"

// maxAttempt is how long a negotiation may take if the relay can carry the
// connection instead. That has to begin while the relay stands: 30 s by default.
const maxAttempt = 15 * time.Second

var errGaveUp = errors.New("negotiation failed at the other end")

// window is how much application data the peer may send before it is granted more.
func (p *Peer) window() int {
	if p.transport == Relay {
		return min(p.ex.limits.window(), dataWindow)
	}
	return p.ex.limits.window()
}

// negotiate implements signaling.
func (s *signals) negotiate(ctx context.Context, negotiator transports.Negotiator, role transports.Role) (net.Conn, string, error) {
	attempt := ctx
	if s.carries > 0 {
		var cancel context.CancelFunc
		attempt, cancel = context.WithTimeout(ctx, min(s.p.ex.config.RequestTimeout/2, maxAttempt))
		defer cancel()
		over := make(chan struct{})
		defer close(over)
		err := s.p.ex.start(func() {
			select {
			case <-s.gaveUp:
				cancel()
			case <-over:
			}
		})
		if err != nil {
			return nil, "", err
		}
	}
	conn, err := negotiator.Negotiate(attempt, role, s)
	if err == nil && isClosed(s.gaveUp) {
		conn.Close()
		err = errGaveUp
	}
	if err == nil || s.carries == 0 || ctx.Err() != nil {
		return conn, negotiator.Name(), err
	}
	relayed, relayErr := s.relayed(ctx, role)
	if relayErr != nil {
		return nil, "", fmt.Errorf("%w; through the relay: %w", err, relayErr)
	}
	return relayed, Relay, nil
}

// giveUp notes that the other end wants the connection to go through the relay.
func (r *signalReceiver) giveUp() error {
	if isClosed(r.gaveUp) {
		return ErrProtocol
	}
	close(r.gaveUp)
	return nil
}

// relayed agrees with the other end on a connection through the relay. From when
// both have got the other's word the node in the middle carries it.
func (s *signals) relayed(ctx context.Context, role transports.Role) (net.Conn, error) {
	conn, err := newRelayedConn(s.p, dataChannel(s.nonce), s.carries)
	if err != nil {
		return nil, err
	}
	if role == transports.Responder {
		// The asker may not know of the relay before it has said something.
		err = s.await(ctx, s.heard)
	}
	if err == nil {
		err = s.channel.Send([]byte(wire.RelayedSignal + "\n"))
	}
	if err == nil {
		err = s.await(ctx, s.gaveUp)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// await waits for the other end, whose last word the relay's end follows at once.
func (s *signals) await(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ended:
	}
	if isClosed(c) {
		return nil
	}
	return errRelayEnded
}

// relayedConn is a connection to another node on a channel of the connection to
// the one in between. It keeps to the rate that this one has told, and never
// holds it up: what it has no room for ends it.
type relayedConn struct {
	channelConn

	// Static after construction.
	via  *Peer
	pace *rate.Limiter
	done chan struct{} // closed by end
	once sync.Once
}

// newRelayedConn opens the channel, so that nothing of it is lost.
func newRelayedConn(via *Peer, name string, perSecond int) (*relayedConn, error) {
	c := &relayedConn{via: via, pace: rate.NewLimiter(rate.Limit(perSecond), dataBurst), done: make(chan struct{})}
	c.stream = newStream(dataTolerance, false, nil)
	c.strict = true
	channel, err := via.session.Channel(name, c)
	if err != nil {
		return nil, err
	}
	c.channel, c.outer = channel, via.conn
	c.bind(channel)
	c.open(false, 0)
	if !via.attach(c) {
		c.Close()
		return nil, orEOF(via.Err())
	}
	return c, nil
}

// Receive implements mux.Receiver. An error would end the connection that this one
// is on.
func (c *relayedConn) Receive(piece []byte) error {
	if err := c.stream.Receive(piece); err != nil {
		c.fail(err)
	}
	return nil
}

// Write sends at the rate that was agreed on.
func (c *relayedConn) Write(b []byte) (int, error) {
	for written := 0; ; {
		part := b[written:min(len(b), written+dataBurst)]
		if err := c.wait(len(part)); err != nil {
			return written, err
		}
		n, err := c.write(part)
		written += n
		if err != nil || written == len(b) {
			return written, err
		}
	}
}

// wait waits until so much may be sent, at most dataBurst.
func (c *relayedConn) wait(n int) error {
	delay := c.pace.ReserveN(time.Now(), n).Delay()
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.done:
		return net.ErrClosed
	}
}

// Close ends the connection, and the relay with it.
func (c *relayedConn) Close() error {
	c.via.detach(c)
	c.end()
	return c.channelConn.Close()
}

func (c *relayedConn) end() { c.once.Do(func() { close(c.done) }) }

// peerEnded implements closer.
func (c *relayedConn) peerEnded(p *Peer) {
	c.fail(orEOF(p.Err()))
	c.end()
}

// RemoteAddr is no address: where the other node is nobody here has seen.
func (c *relayedConn) RemoteAddr() net.Addr { return relayedAddr{} }

type relayedAddr struct{}

func (relayedAddr) Network() string { return Relay }
func (relayedAddr) String() string  { return Relay }
