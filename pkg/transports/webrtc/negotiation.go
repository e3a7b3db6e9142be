package webrtc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"

	"github.com/pion/datachannel"
	"github.com/pion/ice/v2"
	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// errOpen ends a negotiation that was successful.
var errOpen = errors.New("data channel is open")

// negotiation is one call of Negotiate. Its sender runs in the caller's
// goroutine and its receiver in one of its own, so that neither of two nodes
// waits for the other to take a signal first. pion's callbacks only record what
// happened.
type negotiation struct {
	// Static after construction.
	transport *Transport
	role      transport.Role
	conn      *Conn
	wake      chan struct{} // says that there may be signals to send

	pc *pion.PeerConnection // static from connect on

	mu sync.Mutex
	// Guarded by mu.
	stop       context.CancelCauseFunc // nil once run has returned
	described  bool                    // our description is at the front of queue, or sent
	mid        string
	queue      []any // signals to send
	channels   int   // data channels that the other node opened
	channel    *datachannel.DataChannel
	maxMessage int // what the other node takes

	// Owned by the receiver; before it runs, by run.
	received   int             // signals
	remote     bool            // the other node's description is set
	early      []string        // candidates that came before it
	candidates int             // of the other node, that are tried
	introducer netip.Addr      // see transport.Introduced
	relays     map[string]bool // addresses of the other node's TURN servers
}

// newNegotiation prepares a negotiation whose connection is conn. stop cancels
// the context that is given to run.
func newNegotiation(conn *Conn, role transport.Role, stop context.CancelCauseFunc) *negotiation {
	return &negotiation{
		transport: conn.transport,
		role:      role,
		conn:      conn,
		wake:      make(chan struct{}, 1),
		stop:      stop,
	}
}

// run completes the connection once its data channel is open. After an error
// the caller takes it down.
func (n *negotiation) run(ctx context.Context, mux ice.UDPMux, signals transport.Signaling) error {
	defer n.finish()
	if introduced, ok := signals.(transport.Introduced); ok {
		n.introducer = introduced.Introducer()
	}
	if err := n.begin(ctx, mux, signals); err != nil {
		return err
	}

	var receiver sync.WaitGroup
	receiver.Go(func() {
		if err := n.receive(ctx, signals); err != nil {
			n.end(err)
		}
	})
	if err := n.send(ctx, signals); err != nil {
		n.end(err)
	}
	receiver.Wait()

	if err := context.Cause(ctx); err != errOpen {
		return err
	}
	return n.open()
}

// begin makes pion's connection and queues our description. Whoever has others
// introduced can have any number of negotiations begin, so a responder makes
// nothing before it has an offer.
func (n *negotiation) begin(ctx context.Context, mux ice.UDPMux, signals transport.Signaling) error {
	var remote description
	if n.role == transport.Responder {
		var err error
		if remote, err = n.awaitOffer(ctx, signals); err != nil {
			return err
		}
	}
	pc, err := n.transport.newPeerConnection(mux)
	if err != nil {
		return err
	}
	n.pc, n.conn.pc = pc, pc
	pc.OnICECandidate(n.onCandidate)
	pc.OnConnectionStateChange(n.onState)
	pc.OnDataChannel(n.onDataChannel)
	pc.SCTP().OnClose(n.onSCTPClose)
	if n.role == transport.Initiator {
		return n.offer()
	}
	return n.onDescription(remote)
}

// finish lets go of what the callbacks, which live as long as the connection,
// do not need any more.
func (n *negotiation) finish() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stop, n.queue, n.early, n.relays = nil, nil, nil, nil
}

// end ends run with a reason, if it has none yet.
func (n *negotiation) end(reason error) {
	n.mu.Lock()
	stop := n.stop
	n.mu.Unlock()
	if stop != nil {
		stop(reason)
	}
}

// fail is called when the connection is over, before or after it was open.
func (n *negotiation) fail(err error) {
	n.conn.fail(err)
	if err == io.EOF {
		err = fmt.Errorf("%w: the other node closed the connection", ErrNoPath)
	}
	n.end(err)
}

// onSCTPClose records that the association is over, or that the other node
// opened a channel that cannot be understood.
func (n *negotiation) onSCTPClose(err error) {
	if err == nil {
		n.fail(io.EOF)
		return
	}
	n.fail(fmt.Errorf("%w: %w", ErrChannel, err))
}

// onState records that ICE or DTLS has failed. It holds as long as the
// connection lives.
func (n *negotiation) onState(state pion.PeerConnectionState) {
	switch state {
	case pion.PeerConnectionStateFailed:
		n.conn.fail(ErrLost)
		n.end(ErrNoPath)
	case pion.PeerConnectionStateClosed:
		n.fail(io.EOF)
	}
}

// onCandidate queues one of our candidates.
func (n *negotiation) onCandidate(c *pion.ICECandidate) {
	if c == nil {
		return // simple-peer 6 does not signal the end of candidates
	}
	lines := append([]string{c.ToJSON().Candidate}, externalCandidates(c, n.transport.external)...)
	n.mu.Lock()
	if n.stop != nil {
		for _, line := range lines {
			n.queue = append(n.queue, line)
		}
	}
	n.mu.Unlock()
	n.poke()
}

// onDataChannel takes the initiator's one channel.
func (n *negotiation) onDataChannel(channel *pion.DataChannel) {
	n.mu.Lock()
	n.channels++
	first := n.channels == 1
	n.mu.Unlock()
	switch {
	case n.role == transport.Initiator || !first:
		n.fail(fmt.Errorf("%w: one more than agreed", ErrChannel))
		return
	case !channel.Ordered() || channel.MaxRetransmits() != nil || channel.MaxPacketLifeTime() != nil:
		n.fail(fmt.Errorf("%w: not ordered and reliable", ErrChannel))
		return
	}
	channel.OnOpen(func() { n.onOpen(channel) })
}

// onOpen ends the negotiation.
func (n *negotiation) onOpen(channel *pion.DataChannel) {
	raw, err := channel.Detach()
	if err != nil {
		n.fail(fmt.Errorf("detach data channel: %w", err))
		return
	}
	n.mu.Lock()
	n.channel = raw.(*datachannel.DataChannel)
	n.mu.Unlock()
	n.end(errOpen)
}

// open completes the connection after its channel was opened.
func (n *negotiation) open() error {
	pair, err := n.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil {
		return fmt.Errorf("find the path in use: %w", err)
	}
	if pair == nil {
		return ErrNoPath // it failed in the meantime
	}
	n.conn.relays, n.conn.relayed = n.relays, isRelayed(pair, n.relays)
	n.mu.Lock()
	channel, maxMessage := n.channel, n.maxMessage
	n.mu.Unlock()
	if err := n.conn.open(channel, pathAddr(pair.Local), pathAddr(pair.Remote), maxMessage); err != nil {
		return fmt.Errorf("open data channel: %w", err)
	}
	return nil
}
