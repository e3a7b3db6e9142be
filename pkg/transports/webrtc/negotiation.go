package webrtc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/pion/datachannel"
	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// labelBytes is the length of a channel's label before it is hex encoded, as in
// simple-peer.
const labelBytes = 20

// errOpen ends a negotiation that was successful.
var errOpen = errors.New("data channel is open")

// negotiation is one call of Negotiate. Its sender runs in the caller's
// goroutine and its receiver in one of its own, so that neither of two nodes
// waits for the other to take a signal first. pion's callbacks only record what
// happened.
type negotiation struct {
	// Static after construction.
	transport *Transport
	pc        *pion.PeerConnection
	role      transport.Role
	conn      *Conn
	wake      chan struct{} // says that there may be signals to send

	mu sync.Mutex
	// Guarded by mu.
	stop       context.CancelCauseFunc // nil once run has returned
	described  bool                    // our description is at the front of queue, or sent
	mid        string
	queue      []any // signals to send
	channels   int   // data channels that the other node opened
	channel    *datachannel.DataChannel
	maxMessage int // what the other node takes

	// Owned by the receiver.
	remote     bool     // the other node's description is set
	early      []string // candidates that came before it
	candidates int
	relays     map[string]bool // addresses of the other node's TURN servers
}

// newNegotiation prepares a negotiation whose connection is conn. stop cancels
// the context that is given to run.
func newNegotiation(conn *Conn, role transport.Role, stop context.CancelCauseFunc) *negotiation {
	return &negotiation{
		transport: conn.transport,
		pc:        conn.pc,
		role:      role,
		conn:      conn,
		wake:      make(chan struct{}, 1),
		stop:      stop,
	}
}

// run completes the connection once its data channel is open. After an error
// the caller takes it down.
func (n *negotiation) run(ctx context.Context, signals transport.Signaling) error {
	defer n.finish()

	n.pc.OnICECandidate(n.onCandidate)
	n.pc.OnConnectionStateChange(n.onState)
	n.pc.OnDataChannel(n.onDataChannel)
	n.pc.SCTP().OnClose(n.onSCTPClose)

	if n.role == transport.Initiator {
		if err := n.offer(); err != nil {
			return err
		}
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

// offer makes the channel and queues our offer.
func (n *negotiation) offer() error {
	label := make([]byte, labelBytes)
	rand.Read(label)
	channel, err := n.pc.CreateDataChannel(hex.EncodeToString(label), nil)
	if err != nil {
		return fmt.Errorf("create data channel: %w", err)
	}
	channel.OnOpen(func() { n.onOpen(channel) })

	offer, err := n.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("create offer: %w", err)
	}
	return n.describe(offer)
}

// answer queues our answer to the other node's offer.
func (n *negotiation) answer() error {
	answer, err := n.pc.CreateAnswer(nil)
	if err != nil {
		return fmt.Errorf("create answer: %w", err)
	}
	return n.describe(answer)
}

// describe sets our description, which starts the gathering of candidates, and
// puts it before all candidates.
func (n *negotiation) describe(local pion.SessionDescription) error {
	if err := n.pc.SetLocalDescription(local); err != nil {
		return fmt.Errorf("set local description: %w", err)
	}
	n.mu.Lock()
	n.mid = sdpMid(local.SDP)
	n.queue = append([]any{description{Type: local.Type.String(), SDP: announceMessageSize(local.SDP)}}, n.queue...)
	n.described = true
	n.mu.Unlock()
	n.poke()
	return nil
}

func (n *negotiation) poke() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// next takes a signal off the queue.
func (n *negotiation) next() (any, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.described || len(n.queue) == 0 {
		return nil, false
	}
	signal := n.queue[0]
	n.queue = n.queue[1:]
	if line, ok := signal.(string); ok {
		signal = candidateSignal{candidate{Candidate: line, SDPMid: n.mid}}
	}
	return signal, true
}

// send passes our signals on until ctx ends. Once the description is out, a
// signaling channel that fails ends the sending only: what was sent may do.
func (n *negotiation) send(ctx context.Context, signals transport.Signaling) error {
	for sent := 0; ctx.Err() == nil; {
		signal, ok := n.next()
		if !ok {
			select {
			case <-ctx.Done():
			case <-n.wake:
			}
			continue
		}
		raw, err := encodeSignal(signal)
		if err != nil {
			return err
		}
		if err := signals.Send(ctx, raw); err != nil {
			if sent == 0 {
				return fmt.Errorf("send signal: %w", err)
			}
			<-ctx.Done()
		}
		sent++
	}
	return nil
}

// receive applies the other node's signals until ctx ends. Once its description
// is in, a signaling channel that ends is no error: what has come may do.
func (n *negotiation) receive(ctx context.Context, signals transport.Signaling) error {
	for range maxSignals {
		raw, err := signals.Receive(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			if n.remote {
				return nil
			}
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("receive signal: %w", err)
		}
		remote, line, err := decodeSignal(raw)
		switch {
		case err != nil:
			return err
		case remote.SDP != "":
			err = n.onDescription(remote)
		case line != "":
			err = n.onRemoteCandidate(line)
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: more than %d", ErrSignal, maxSignals)
}

// onDescription applies the other node's offer or answer.
func (n *negotiation) onDescription(remote description) error {
	want, kind := typeAnswer, pion.SDPTypeAnswer
	if n.role == transport.Responder {
		want, kind = typeOffer, pion.SDPTypeOffer
	}
	if remote.Type != want {
		return fmt.Errorf("%w: description of type %.10q, want %s", ErrSignal, remote.Type, want)
	}
	if n.remote {
		return fmt.Errorf("%w: second %s", ErrSignal, want)
	}
	if err := checkSDP(remote.SDP); err != nil {
		return err
	}
	size, err := remoteMessageSize(remote.SDP)
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.maxMessage = size
	n.mu.Unlock()
	if err := n.pc.SetRemoteDescription(pion.SessionDescription{Type: kind, SDP: remote.SDP}); err != nil {
		return fmt.Errorf("%w: set remote %s: %w", ErrSignal, want, err)
	}
	n.remote = true
	for _, line := range n.early {
		if err := n.addCandidate(line); err != nil {
			return err
		}
	}
	n.early = nil
	if n.role == transport.Responder {
		return n.answer()
	}
	return nil
}

// onRemoteCandidate applies a candidate, or keeps it until there is a
// description that it can be applied to.
func (n *negotiation) onRemoteCandidate(line string) error {
	if n.candidates++; n.candidates > maxRemoteCandidate {
		return fmt.Errorf("%w: more than %d candidates", ErrSignal, maxRemoteCandidate)
	}
	if !n.remote {
		n.early = append(n.early, line)
		return nil
	}
	return n.addCandidate(line)
}

func (n *negotiation) addCandidate(line string) error {
	if err := n.pc.AddICECandidate(pion.ICECandidateInit{Candidate: line}); err != nil {
		return fmt.Errorf("%w: add candidate: %w", ErrSignal, err)
	}
	if fields := strings.Fields(line); len(fields) >= 8 && fields[7] == "relay" {
		if n.relays == nil {
			n.relays = make(map[string]bool)
		}
		n.relays[fields[4]+" "+fields[5]] = true
	}
	return nil
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
