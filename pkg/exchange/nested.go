package exchange

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// nested is this node's end of a signaling relay of generation 1: a PXP
// connection of its own inside the relay channel, whose upgrade messages carry
// the signals (npm peer-exchange 2.2.0, lib/swarm.js, _signalRTC). It implements
// transports.Signaling.
type nested struct {
	// Static after construction.
	p       *Peer
	conn    *channelConn
	session *mux.Session
	control *mux.Channel
	queue   chan json.RawMessage
	hello   chan struct{} // closed with the other side's hello

	// Owned by the nested read loop.
	lines     wire.Lines
	helloSeen bool

	mu sync.Mutex
	// Guarded by mu.
	requests uint64
}

// newNested opens the relay channel, so that nothing of it is lost. The caller
// calls begin next, and close in the end.
func newNested(p *Peer, name string) (*nested, error) {
	limits := p.ex.limits
	stream := newStream(nestedBuffer, false, nil)
	channel, err := p.session.Channel(name, stream)
	if err != nil {
		return nil, err
	}
	stream.bind(channel)
	stream.open(false, 0)
	n := &nested{
		p:     p,
		queue: make(chan json.RawMessage, maxSignals),
		hello: make(chan struct{}),
		lines: wire.Lines{Max: limits.signalBytes()},
	}
	n.conn = &channelConn{stream, channel, p.conn}
	n.session = mux.New(n.conn, mux.Config{
		MaxNameBytes:  limits.ChannelNameBytes,
		MaxChannels:   4,
		MaxQueueBytes: limits.OutboundQueueBytes,
	})
	if !p.attach(n) {
		n.session.Close(net.ErrClosed)
		return nil, orEOF(p.Err())
	}
	return n, nil
}

// nestedBuffer is how much of the relay may wait for the nested read loop.
const nestedBuffer = 64 << 10

// begin starts the nested connection.
func (n *nested) begin(connectInfo json.RawMessage) error {
	n.session.SendMagic([]byte(magic))
	control, err := n.session.Channel("pxp", nestedReceiver{n})
	if err != nil {
		return err
	}
	n.control = control
	if err := n.send(func(nonce json.RawMessage) []byte {
		return wire.AppendV1Hello(nil, nonce, connectInfo, []string{n.p.ex.id})
	}); err != nil {
		return err
	}
	return n.p.ex.start(func() {
		n.session.Close(classified(n.run()))
		n.session.Wait()
	})
}

func (n *nested) run() error {
	protocol, received, err := detect(n.conn)
	if err != nil {
		return err
	}
	if protocol != V1 {
		return ErrProtocol
	}
	return n.session.RunFrom(received)
}

func (n *nested) send(message func(nonce json.RawMessage) []byte) error {
	n.mu.Lock()
	nonce := wire.NonceV1(n.requests)
	n.requests++
	n.mu.Unlock()
	return n.control.Send(message(nonce))
}

func (n *nested) line(line []byte) error {
	var m wire.V1
	if err := wire.DecodeV1(line, &m); err != nil {
		return err
	}
	switch m.Command {
	case wire.V1Hello:
		if n.helloSeen {
			return nil
		}
		if m.Version != 1 || !slices.Contains(m.Networks, n.p.ex.id) {
			return ErrNetworkMismatch
		}
		n.helloSeen = true
		close(n.hello)
	case wire.V1Upgrade:
		if m.Transport != transports.WebRTC {
			return ErrUnknownTransport
		}
		select {
		case n.queue <- slices.Clone(m.Signal):
		default:
			return ErrLimit
		}
	case wire.V1GetPeers:
		return n.control.Send(wire.AppendV1Candidates(nil, m.Nonce, nil))
	case wire.V1Relay, wire.V1Connect:
		return n.control.Send(wire.AppendV1ResError(nil, m.Nonce, "Not available in a relay"))
	}
	return nil
}

// greeted waits for the other side's hello.
func (n *nested) greeted(ctx context.Context) error {
	select {
	case <-n.hello:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-n.session.Done():
	}
	select {
	case <-n.hello:
		return nil
	default:
		return n.session.Err()
	}
}

// Send implements transports.Signaling.
func (n *nested) Send(ctx context.Context, signal json.RawMessage) error {
	return n.send(func(nonce json.RawMessage) []byte {
		return wire.AppendV1Upgrade(nil, nonce, transports.WebRTC, signal)
	})
}

// Receive implements transports.Signaling.
func (n *nested) Receive(ctx context.Context) (json.RawMessage, error) {
	return nextSignal(ctx, n.queue, n.session.Done())
}

// Introducer implements transports.Introduced.
func (n *nested) Introducer() netip.Addr { return n.p.introducesFrom() }

// close ends the nested connection and the relay, after what was sent.
func (n *nested) close() {
	n.p.detach(n)
	ctx, cancel := context.WithTimeout(n.p.ex.lifetime, closeLinger)
	defer cancel()
	n.session.Flush(ctx)
	n.session.Close(net.ErrClosed)
}

// negotiate implements signaling.
func (n *nested) negotiate(ctx context.Context, negotiator transports.Negotiator, role transports.Role) (net.Conn, string, error) {
	conn, err := negotiator.Negotiate(ctx, role, n)
	return conn, negotiator.Name(), err
}

func (n *nested) peerEnded(p *Peer) { n.session.Close(orEOF(p.Err())) }

// nestedReceiver takes the bytes of the nested control channel.
type nestedReceiver struct{ n *nested }

func (r nestedReceiver) Receive(piece []byte) error { return r.n.lines.Feed(piece, r.n.line) }

func (r nestedReceiver) End() {}

// channelConn is a channel of a connection as a connection.
type channelConn struct {
	*stream
	channel *mux.Channel
	outer   net.Conn
}

func (c *channelConn) Read(b []byte) (int, error)  { return c.read(b) }
func (c *channelConn) Write(b []byte) (int, error) { return c.write(b) }

// Close ends both halves of the channel.
func (c *channelConn) Close() error {
	c.close()
	c.channel.Close()
	return nil
}

func (c *channelConn) LocalAddr() net.Addr                { return c.outer.LocalAddr() }
func (c *channelConn) RemoteAddr() net.Addr               { return c.outer.RemoteAddr() }
func (c *channelConn) SetReadDeadline(t time.Time) error  { return c.setReadDeadline(t) }
func (c *channelConn) SetWriteDeadline(t time.Time) error { return c.setWriteDeadline(t) }
func (c *channelConn) SetDeadline(t time.Time) error {
	c.setReadDeadline(t)
	return c.setWriteDeadline(t)
}
