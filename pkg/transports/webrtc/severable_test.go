package webrtc

import (
	"net"
	"sync/atomic"
)

// severable is a socket whose cable can be cut: what is sent vanishes.
type severable struct {
	net.PacketConn
	cut atomic.Bool
}

func (s *severable) sever() { s.cut.Store(true) }

func (s *severable) WriteTo(p []byte, addr net.Addr) (int, error) {
	if s.cut.Load() {
		return len(p), nil
	}
	return s.PacketConn.WriteTo(p, addr)
}
