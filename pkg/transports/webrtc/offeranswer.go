package webrtc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// labelBytes is the length of a channel's label before it is hex encoded, as in
// simple-peer.
const labelBytes = 20

// defaultPatience is how long a responder waits for an offer: npm nodes send it as
// soon as they are answered, or with all of their candidates when these are gathered.
const defaultPatience = 15 * time.Second

// errSignalsEnd says that there are no more signals, which is no fault.
var errSignalsEnd = errors.New("end of signals")

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
	for {
		remote, line, err := n.take(ctx, signals)
		switch {
		case err == errSignalsEnd:
			return nil
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
}

// awaitOffer waits for the other node's offer, and keeps the candidates that come
// before it.
func (n *negotiation) awaitOffer(ctx context.Context, signals transport.Signaling) (description, error) {
	wait, cancel := context.WithTimeout(ctx, n.transport.patience)
	defer cancel()
	for {
		remote, line, err := n.take(wait, signals)
		switch {
		case ctx.Err() != nil:
			return description{}, context.Cause(ctx)
		case err == errSignalsEnd:
			return description{}, fmt.Errorf("wait for an offer: %w", wait.Err())
		case err != nil:
			return description{}, err
		case remote.SDP != "":
			return remote, n.checkDescription(remote)
		case line != "":
			err = n.onRemoteCandidate(line)
		}
		if err != nil {
			return description{}, err
		}
	}
}

// take waits for one signal. When ctx has ended, or signaling has with the other
// node's description in, that is errSignalsEnd.
func (n *negotiation) take(ctx context.Context, signals transport.Signaling) (description, string, error) {
	if n.received++; n.received > maxSignals {
		return description{}, "", fmt.Errorf("%w: more than %d", ErrSignal, maxSignals)
	}
	raw, err := signals.Receive(ctx)
	switch {
	case ctx.Err() != nil, err != nil && n.remote:
		return description{}, "", errSignalsEnd
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
		fallthrough
	case err != nil:
		return description{}, "", fmt.Errorf("receive signal: %w", err)
	}
	return decodeSignal(raw)
}

// checkDescription rejects a description that is not the one that is expected now.
func (n *negotiation) checkDescription(remote description) error {
	want := typeAnswer
	if n.role == transport.Responder {
		want = typeOffer
	}
	if remote.Type != want {
		return fmt.Errorf("%w: description of type %.10q, want %s", ErrSignal, remote.Type, want)
	}
	if n.remote {
		return fmt.Errorf("%w: second %s", ErrSignal, want)
	}
	return checkSDP(remote.SDP)
}

// onDescription applies the other node's offer or answer.
func (n *negotiation) onDescription(remote description) error {
	if err := n.checkDescription(remote); err != nil {
		return err
	}
	size, err := remoteMessageSize(remote.SDP)
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.maxMessage = size
	n.mu.Unlock()
	sdp, lines, err := withoutCandidates(remote.SDP)
	if err != nil {
		return fmt.Errorf("%w: set remote %s: %w", ErrSignal, remote.Type, err)
	}
	for _, line := range lines {
		if err := n.onRemoteCandidate(line); err != nil {
			return err
		}
	}
	if err := n.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.NewSDPType(remote.Type), SDP: sdp}); err != nil {
		return fmt.Errorf("%w: set remote %s: %w", ErrSignal, remote.Type, err)
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
