package turn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// maxRequestBytes is the longest request that pion gets to see. It is less than the
// buffer that pion reads into.
const (
	maxRequestBytes = 1500
	pionMTU         = 1600
)

// datagrams is a UDP socket for clients. To pion it is a net.PacketConn on which
// nothing but requests arrives.
type datagrams struct {
	// Static after construction.
	gate   *gate
	socket *socket

	// Owned by pion's goroutine.
	now      int64
	request  []byte // for pion; part of the socket's batch
	from     netip.AddrPort
	finished sync.Once
}

// receiveBufferBytes is asked for, so that a busy moment loses nothing; the system may
// give less.
const receiveBufferBytes = 4 << 20

// listenUDP makes the sockets of an address.
func listenUDP(s *Server, address string, sockets int) (listeners []*datagrams, err error) {
	defer func() {
		if err != nil {
			for _, d := range listeners {
				err = errors.Join(err, d.Close())
			}
			err = fmt.Errorf("listen for TURN on udp %s: %w", address, err)
		}
	}()
	config := net.ListenConfig{Control: shareAddress}
	if sockets == 1 || !canShareAddress {
		config.Control, sockets = nil, 1
	}
	for range sockets {
		conn, err := config.ListenPacket(context.Background(), "udp", address)
		if err != nil {
			return listeners, err
		}
		// Fails for nothing that would keep the socket from working.
		_ = conn.(*net.UDPConn).SetReadBuffer(receiveBufferBytes)
		socket, err := newSocket(conn.(*net.UDPConn))
		if err != nil {
			return listeners, err
		}
		d := &datagrams{gate: newGate(s, TransportUDP), socket: socket}
		d.gate.write, d.gate.deliver = socket.send, socket.sendAll
		socket.to, socket.batch, socket.keep = d, newBatch(), true
		listeners = append(listeners, d)
		address = socket.local.String() // the others share a port that the system picked
	}
	return listeners, nil
}

// begin implements receiver.
func (d *datagrams) begin() { d.now = d.gate.server.now() }

// take implements receiver: a message from a client.
func (d *datagrams) take(p *packet) (stop bool) {
	if p.long {
		d.gate.server.metrics.dropped.add(DroppedTooLong)
		return false
	}
	message := p.payload()
	if d.gate.data(message, p.from, d.now) || !d.gate.admit(message, p.from) {
		return false
	}
	d.request, d.from = message, p.from
	return true
}

// end implements receiver.
func (d *datagrams) end() {}

// ReadFrom implements net.PacketConn: it relays data until there is a request.
func (d *datagrams) ReadFrom(p []byte) (int, net.Addr, error) {
	d.gate.finish()
	if err := d.socket.receive(); err != nil {
		d.finished.Do(d.gate.server.running.Done)
		return 0, nil, err
	}
	return copy(p, d.request), net.UDPAddrFromAddrPort(d.from), nil
}

// WriteTo implements net.PacketConn: a response of pion's.
func (d *datagrams) WriteTo(p []byte, _ net.Addr) (int, error) { return len(p), d.gate.respond(p) }

// Close implements net.PacketConn.
func (d *datagrams) Close() error { return d.socket.close() }

// LocalAddr implements net.PacketConn.
func (d *datagrams) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(d.socket.local) }

// SetDeadline implements net.PacketConn.
func (d *datagrams) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (d *datagrams) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn.
func (d *datagrams) SetWriteDeadline(time.Time) error { return nil }
