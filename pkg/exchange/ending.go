package exchange

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
)

// closeLinger is how long a closed connection may take to deliver what was
// written to it before.
const closeLinger = 2 * time.Second

// closer is what ends together with a peer.
type closer interface{ peerEnded(*Peer) }

// attach makes c end with the peer. It tells whether the peer is still there.
func (p *Peer) attach(c closer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return false
	}
	if p.attached == nil {
		p.attached = make(map[closer]struct{})
	}
	p.attached[c] = struct{}{}
	return true
}

func (p *Peer) detach(c closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.attached, c)
}

// fail ends the peer at once. The first reason wins.
func (p *Peer) fail(reason error) {
	p.end(reason)
	p.session.Close(p.Err())
}

// end makes the peer unusable and records why.
func (p *Peer) end(reason error) (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return false
	}
	p.err = classified(reason)
	p.stream.fail(p.err)
	close(p.done)
	return true
}

// Close disconnects the peer. What was written before is still sent, in the
// background and for at most two seconds. It returns nil and may be called again.
func (p *Peer) Close() error {
	p.stream.close()
	p.dismiss(net.ErrClosed)
	return nil
}

// dismiss ends the peer for a reason and closes the connection once what was
// sent has had the time to arrive.
func (p *Peer) dismiss(reason error) {
	if !p.end(reason) {
		return
	}
	p.ex.removePeer(p)
	// The peer's own goroutine has not ended yet, so Exchange.Close waits for this one.
	p.ex.running.Go(p.linger)
}

// linger closes the connection once the other node has had the chance to take
// what was written.
func (p *Peer) linger() {
	part(context.Background(), p.session, p.conn)
}

// part closes a connection in order, in at most closeLinger. To close it while
// something unread is on its way here would make TCP throw away what is on its
// way there.
func part(ctx context.Context, session *mux.Session, conn net.Conn) {
	defer session.Close(net.ErrClosed)
	ctx, cancel := context.WithTimeout(ctx, closeLinger)
	defer cancel()
	if err := session.Flush(ctx); err != nil {
		return
	}
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	// The other node answers the end of our half by ending its own.
	select {
	case <-session.Done():
	case <-ctx.Done():
	}
}

// retire ends a peer in favour of another connection to the same node. The other
// side does so too, but may learn of it later: what it wrote until then is still
// read, for as long as a closed connection lingers.
func (p *Peer) retire() {
	p.mu.Lock()
	ended := p.err != nil
	if !ended {
		p.err = ErrDuplicate
		p.stream.stopWriting(ErrDuplicate)
		close(p.done)
	}
	p.mu.Unlock()
	if ended {
		return
	}
	p.ex.removePeer(p)
	p.ex.running.Go(func() {
		linger := time.NewTimer(closeLinger)
		defer linger.Stop()
		select {
		case <-linger.C:
		case <-p.session.Done():
		case <-p.ex.lifetime.Done():
		}
		p.session.Close(ErrDuplicate)
	})
}

// ended cleans up after the read loop.
func (p *Peer) ended() {
	p.ex.removePeer(p)
	p.forgetICE()
	p.mu.Lock()
	err := p.err
	p.stream.fail(err) // a retired peer could be read until now
	attached := p.attached
	p.attached = nil
	p.mu.Unlock()
	for c := range attached {
		c.peerEnded(p)
	}
	p.ex.connectionEnded(p, err)
}

// Done is closed when the peer is disconnected, by either side.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Err tells why the peer is disconnected: nil while it is connected,
// net.ErrClosed after Close, io.EOF when the other node closed, or what went wrong,
// which errors.Is finds among the errors of this package: ErrLimit for what exceeds
// one of Limits, with ErrHandshakeTimeout, ErrIdle and ErrSlowPeer among it, ErrProtocol
// for what no node may send, ErrUnresponsive, ErrDuplicate and so on. Any other is
// that of the connection.
func (p *Peer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// orEOF is err, or what the other node causes when it closes.
func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

func (p *Peer) isClosed() bool { return isClosed(p.done) }

// isClosed tells whether a channel that nobody sends on is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
