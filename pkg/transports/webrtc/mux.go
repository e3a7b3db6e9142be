package webrtc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/pion/ice/v2"
)

// muxSocketBuffer is asked of the kernel for a UDP socket that all connections
// share; it grants what it allows.
const muxSocketBuffer = 2 << 20

// openMux opens the shared UDP port, nil if none is configured.
func (t *Transport) openMux() (ice.UDPMux, error) {
	switch {
	case t.cfg.MuxConn != nil:
		return t.muxOn(t.cfg.MuxConn), nil
	case t.cfg.MuxAddr != "":
		mux, err := t.listenMux()
		if err != nil {
			return nil, fmt.Errorf("listen for webrtc on %s: %w", t.cfg.MuxAddr, err)
		}
		return mux, nil
	}
	return nil, nil
}

func (t *Transport) muxOn(conn net.PacketConn) ice.UDPMux {
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: t.log.NewLogger("ice"), UDPConn: conn})
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok || !local.IP.IsUnspecified() {
		return mux
	}
	return &wildcardMux{UDPMux: mux, port: local.Port, onlyIPv4: local.IP.To4() != nil, loopback: t.useLoopback}
}

// listenMux listens with one socket per local address, so that an answer leaves
// by the address that the question came to.
func (t *Transport) listenMux() (ice.UDPMux, error) {
	addr, err := net.ResolveUDPAddr("udp", t.cfg.MuxAddr)
	if err != nil {
		return nil, err
	}
	if addr.IP != nil && !addr.IP.IsUnspecified() {
		conn, err := listenUDP(addr.AddrPort())
		if err != nil {
			return nil, err
		}
		return t.muxOn(conn), nil
	}

	onlyIPv4 := addr.IP.To4() != nil
	port := uint16(addr.Port)
	loopback := t.useLoopback()
	var muxes []ice.UDPMux
	var errs []error
	for _, local := range localAddrs() {
		if local.IsLoopback() && !loopback || !local.Is4() && onlyIPv4 {
			continue
		}
		conn, err := listenUDP(netip.AddrPortFrom(local, port))
		if err != nil {
			// A single address may be unusable, such as an IPv6 address that
			// is still being checked for duplicates.
			errs = append(errs, err)
			continue
		}
		// With port 0 the first address decides for all.
		port = conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		muxes = append(muxes, t.muxOn(conn))
	}
	if len(muxes) == 0 {
		return nil, errors.Join(append(errs, errors.New("no usable local address"))...)
	}
	for _, err := range errs {
		t.cfg.Logger.Warn("webrtc address skipped", "err", err)
	}
	return ice.NewMultiUDPMuxDefault(muxes...), nil
}

func listenUDP(addr netip.AddrPort) (*net.UDPConn, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(muxSocketBuffer)
	_ = conn.SetWriteBuffer(muxSocketBuffer)
	return conn, nil
}

// wildcardMux shares a socket that listens on all addresses. Which these are is
// asked for each connection, where pion would ask once.
type wildcardMux struct {
	ice.UDPMux
	port     int
	onlyIPv4 bool
	loopback func() bool
}

func (m *wildcardMux) GetListenAddresses() []net.Addr {
	loopback := m.loopback()
	var addrs []net.Addr
	for _, local := range localAddrs() {
		if local.IsLoopback() && !loopback || !local.Is4() && m.onlyIPv4 {
			continue
		}
		addrs = append(addrs, net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, uint16(m.port))))
	}
	return addrs
}
