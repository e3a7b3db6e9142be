//go:build !linux

package turn

import (
	"net"
	"net/netip"
	"syscall"
)

// socket is a UDP socket that is read by one goroutine and written by many.
type socket struct {
	// Static after construction.
	conn  *net.UDPConn
	local netip.AddrPort
	// Owned by the goroutine that receives.
	batch *batch
	to    receiver
	keep  bool
}

func newSocket(conn *net.UDPConn) (*socket, error) {
	return &socket{conn: conn, local: conn.LocalAddr().(*net.UDPAddr).AddrPort()}, nil
}

func (s *socket) close() error { return s.conn.Close() }

// receive hands messages to the receiver until that stops it or the socket is closed.
func (s *socket) receive() error {
	if s.batch == nil {
		s.batch = newBatch()
	}
	p := &s.batch.packets[0]
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(p.buf[headroom : headroom+maxMessageBytes])
		if err != nil {
			return err
		}
		p.n, p.long = n, n == maxMessageBytes
		p.from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		s.to.begin()
		stop := s.to.take(p)
		s.to.end()
		if stop {
			return nil
		}
	}
}

func (s *socket) send(p []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(p, to)
	return err
}

func (s *socket) sendAll(_ *batch, frames [][]byte, to netip.AddrPort) (sent int) {
	for _, frame := range frames {
		if s.send(frame, to) == nil {
			sent++
		}
	}
	return sent
}

type batchSys struct{}

func (batchSys) init(*batch) {}

func shareAddress(string, string, syscall.RawConn) error { return nil }

const canShareAddress = false
