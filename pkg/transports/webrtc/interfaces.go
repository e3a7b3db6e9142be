package webrtc

import (
	"net"
	"net/netip"
)

// useLoopback tells whether loopback addresses are candidates now. It is asked
// anew for each connection, because a machine gains and loses its networks.
func (t *Transport) useLoopback() bool {
	switch t.cfg.Loopback {
	case LoopbackAlways:
		return true
	case LoopbackNever:
		return false
	}
	for _, addr := range localAddrs() {
		if !addr.IsLoopback() {
			return false
		}
	}
	return true
}

// localAddrs returns the addresses of this machine that can be candidates:
// global and private ones and 127.0.0.0/8, but none that needs a zone, and not
// ::1, which pion leaves out as well.
func localAddrs() []netip.Addr {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var usable []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // the interface is gone
		}
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			addr := prefix.Addr().Unmap()
			if addr.IsGlobalUnicast() || addr.Is4() && addr.IsLoopback() {
				usable = append(usable, addr)
			}
		}
	}
	return usable
}
