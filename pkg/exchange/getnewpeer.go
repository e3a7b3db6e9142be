package exchange

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// maxAttempts is how many candidates one GetNewPeer tries when those it gets
// turn out to be connected already.
const maxAttempts = 8

// GetNewPeer asks a random connected peer for another peer and connects to it,
// directly or negotiated through the asked one. When what is offered is connected
// already, or the asked peer has nobody, others are tried, 8 times in all at most. ctx
// bounds the call, and Config.RequestTimeout each attempt.
//
// Errors: ErrNoPeers, ErrNoCandidates, ErrClosed, the context's, and what went
// wrong with the last candidate.
func (ex *Exchange) GetNewPeer(ctx context.Context) (*Peer, error) {
	peers := ex.randomPeers()
	switch {
	case ex.lifetime.Err() != nil:
		return nil, noNewPeer(ErrClosed)
	case len(peers) == 0:
		return nil, noNewPeer(ErrNoPeers)
	}
	var lastErr error
	for attempts := min(maxAttempts, max(len(peers), 3)); attempts > 0 && len(peers) > 0; attempts-- {
		asked := peers[0]
		p, err := asked.getNewPeer(ctx)
		if err == nil {
			return p, nil
		}
		lastErr = err
		if ctx.Err() != nil || errors.Is(err, ErrClosed) {
			break
		}
		peers = peers[1:]
		if !errors.Is(err, ErrNoCandidates) {
			peers = append(peers, asked) // it may have others
		}
	}
	return nil, noNewPeer(lastErr)
}

// GetNewPeer asks this peer for another one, as Exchange.GetNewPeer does.
func (p *Peer) GetNewPeer(ctx context.Context) (*Peer, error) {
	var lastErr error
	for range maxAttempts {
		other, err := p.getNewPeer(ctx)
		if err == nil {
			return other, nil
		}
		lastErr = err
		if !isDuplicate(err) || ctx.Err() != nil {
			break
		}
	}
	return nil, noNewPeer(lastErr)
}

// noNewPeer is what a caller learns of the last attempt.
func noNewPeer(err error) error {
	if isDuplicate(err) {
		err = fmt.Errorf("%w: the last one is connected already", ErrNoCandidates)
	}
	return fmt.Errorf("get new peer: %w", err)
}

func isDuplicate(err error) bool { return errors.Is(err, ErrDuplicate) || errors.Is(err, ErrSelf) }

// getNewPeer asks once.
func (p *Peer) getNewPeer(ctx context.Context) (*Peer, error) {
	ctx, cancel := p.ex.bound(ctx)
	defer cancel()
	ctx, cancelTimeout := context.WithTimeout(ctx, p.ex.config.RequestTimeout)
	defer cancelTimeout()
	c, err := p.dialect.newConn(ctx)
	if err == nil {
		var other *Peer
		if other, err = p.ex.handshake(ctx, c); err == nil {
			return other, nil
		}
	}
	if p.ex.lifetime.Err() != nil {
		err = ErrClosed // which ends whatever there is to wait for
	}
	return nil, err
}

// leastNegotiation is how long a negotiation counts at least, whatever comes of it.
const leastNegotiation = time.Second

// signaling is a relay's end as a negotiation of either generation uses it.
type signaling interface {
	transports.Signaling
	// negotiate makes a connection with the node at the other end of the relay, and
	// tells by what transport: the negotiator's, or if the relay carries it, [Relay].
	negotiate(ctx context.Context, negotiator transports.Negotiator, role transports.Role) (net.Conn, string, error)
	close()
}

// introducesFrom is what transports.Introduced says of those that a peer introduces. What
// comes by a sibling comes from a peer of its own, wherever that is.
func (p *Peer) introducesFrom() netip.Addr {
	if p.Sibling() {
		return netip.Addr{}
	}
	return p.addr
}

// reserveNegotiation counts a negotiation that a peer brings, before anything is
// spent on it: among the relays that the peer has, and among what is negotiated for
// others, in all and for those at the peer's address. What is reserved is released
// once. Beyond a limit it refuses. A negotiation counts for leastNegotiation even if it
// is over before: else one that fails at once could be followed by the next at once,
// as fast as this node can make them.
func (p *Peer) reserveNegotiation() (release func(), ok bool) {
	ex, owner := p.ex, p.owner
	if !p.reserveRelay() {
		ex.refused("relays-per-peer", p.RemoteAddress())
		return nil, false
	}
	if limit, ok := ex.negotiations.acquire(owner, 1); !ok {
		p.relays.Add(-1)
		ex.refused(limit, owner.Addr().String())
		return nil, false
	}
	begun := time.Now()
	return func() {
		p.relays.Add(-1)
		time.AfterFunc(leastNegotiation-time.Since(begun), func() { ex.negotiations.release(owner, 1) })
	}, true
}

// respond is the candidate's side of a negotiation that somebody else asked
// for. It runs in a goroutine of its own until there is a peer, or none.
func (ex *Exchange) respond(from introduction, negotiator transports.Negotiator, signals signaling) {
	defer signals.close()
	ctx, cancel := context.WithTimeout(ex.lifetime, ex.config.RequestTimeout)
	defer cancel()
	conn, transport, err := signals.negotiate(ctx, negotiator, transports.Responder)
	if err != nil {
		ex.report(fmt.Errorf("negotiate %s with a peer of %s: %w", negotiator.Name(), from.by.RemoteAddress(), err))
		return
	}
	signals.close()
	ex.serveConn(conn, transport, from)
}
