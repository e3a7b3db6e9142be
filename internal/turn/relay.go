package turn

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// relay is a relayed address. To pion it is a net.PacketConn on which nothing ever
// arrives: what does goes to the client within ReadFrom.
type relay struct {
	// Static after construction.
	server  *Server
	session *session
	socket  *socket
	address netip.AddrPort // as announced
	release func()         // of the quotas
	ended   func() error   // shut, once

	// Owned by the goroutine that receives.
	now      int64
	frames   int // collected in the batch
	bytes    int // their payload
	finished sync.Once
}

func newRelay(s *session, p *port) *relay {
	r := &relay{server: s.gate.server, session: s, socket: p.socket, address: p.address, release: p.release}
	p.socket.to = r
	r.ended = sync.OnceValue(r.shut)
	return r
}

// shut undoes everything that there is of an allocation.
func (r *relay) shut() error {
	r.session.gate.remove(r.session)
	r.server.removeRelay(r)
	err := r.socket.close()
	r.release()
	r.server.metrics.allocations.of(r.session.gate.transport).Add(^uint64(0))
	r.server.cfg.Logger.Debug("allocation ended", "remote_addr", r.session.client, "relay_addr", r.address)
	return err
}

// send sends a message to a peer.
func (r *relay) send(p []byte, to netip.AddrPort) error {
	return r.socket.send(p, r.server.inward(to))
}

// begin implements receiver.
func (r *relay) begin() {
	r.now = r.server.now()
	r.frames, r.bytes = 0, 0
}

// take implements receiver: a message from a peer.
func (r *relay) take(p *packet) (stop bool) {
	from := r.server.outward(p.from)
	number, ok := r.session.channel(from, r.now)
	switch {
	case !ok:
		r.server.metrics.dropped.add(DroppedNoPermission)
		return false
	case p.long:
		r.server.metrics.dropped.add(DroppedTooLong)
		return false
	case !r.session.takeBytes(p.n, r.now):
		return false
	}
	var frame []byte
	if number != 0 {
		frame = channelFrame(p.buf, headroom, p.n, number, r.session.gate.stream)
	} else {
		frame = dataFrame(p.buf, headroom, p.n, from, rand.Uint64(), rand.Uint32())
	}
	r.socket.batch.frames[r.frames] = frame
	r.frames++
	r.bytes += p.n
	return false
}

// end implements receiver.
func (r *relay) end() {
	if r.frames == 0 {
		return
	}
	b := r.socket.batch
	sent := r.session.gate.deliver(b, b.frames[:r.frames], r.session.client)
	if sent < r.frames {
		r.server.metrics.dropped.of(DroppedSend).Add(uint64(r.frames - sent))
	}
	r.server.metrics.toClient.add(sent, r.bytes)
}

var errRelayWrite = errors.New("data goes through the session")

// ReadFrom implements net.PacketConn for pion, which closes the allocation once it
// returns. It relays until then.
func (r *relay) ReadFrom([]byte) (int, net.Addr, error) {
	err := r.socket.receive()
	if err == nil {
		err = net.ErrClosed
	}
	r.finished.Do(func() {
		// Whoever closed it may be in the middle of that, and the server waits for all of it.
		r.Close()
		r.server.running.Done()
	})
	return 0, nil, err
}

// WriteTo implements net.PacketConn.
func (r *relay) WriteTo([]byte, net.Addr) (int, error) { return 0, errRelayWrite }

// Close implements net.PacketConn: pion's end of an allocation. It never fails, which
// would keep pion from closing others.
func (r *relay) Close() error {
	if err := r.ended(); err != nil {
		r.server.cfg.Logger.Debug("close relayed address", "relay_addr", r.address, "err", err)
	}
	return nil
}

// LocalAddr implements net.PacketConn.
func (r *relay) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(r.address) }

// SetDeadline implements net.PacketConn.
func (r *relay) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (r *relay) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn.
func (r *relay) SetWriteDeadline(time.Time) error { return nil }
