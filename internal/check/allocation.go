package check

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"

	"github.com/pion/logging"
	"github.com/pion/stun"
	"github.com/pion/turn/v2"
)

// allocation is a relayed address that a TURN server made for this program.
type allocation struct {
	net.PacketConn // what is sent to and from the relayed address
	client         *turn.Client
	base           net.PacketConn // to the server
	stop           func() bool
}

// allocate asks a server for a relayed address. When ctx ends, that is over too.
func (c *Check) allocate(ctx context.Context, s iceServer) (*allocation, error) {
	server, err := resolve4(ctx, s)
	if err != nil {
		return nil, err
	}
	base, err := c.dialTURN(ctx, s, server)
	if err != nil {
		return nil, err
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: server.String(), TURNServerAddr: server.String(), Conn: base,
		Username: s.username, Password: s.credential,
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		base.Close()
		return nil, err
	}
	a := &allocation{client: client, base: base}
	// The client knows no context: what it waits for ends with it.
	a.stop = context.AfterFunc(ctx, func() { client.Close(); base.Close() })
	if err = client.Listen(); err == nil {
		a.PacketConn, err = client.Allocate()
	}
	if err != nil {
		a.close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return a, nil
}

// dialTURN makes the connection, or the socket, on which a server is talked to.
func (c *Check) dialTURN(ctx context.Context, s iceServer, server netip.AddrPort) (net.PacketConn, error) {
	if s.uri.Proto == stun.ProtoTypeUDP {
		return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(c.socketAddr()))
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp4", server.String())
	if err != nil {
		return nil, err
	}
	if s.uri.Scheme == stun.SchemeTypeTURNS {
		config := c.secure.Clone()
		config.ServerName = s.uri.Host
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	return turn.NewSTUNConn(conn), nil
}

// socketAddr is where UDP sockets are bound.
func (c *Check) socketAddr() netip.AddrPort {
	if c.local.IsValid() {
		return netip.AddrPortFrom(c.local, 0)
	}
	return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
}

// relayed is the relayed address.
func (a *allocation) relayed() netip.AddrPort {
	addr, _ := netip.ParseAddrPort(a.LocalAddr().String()) // a *net.UDPAddr
	return addr
}

// close gives the relayed address back.
func (a *allocation) close() {
	a.stop()
	if a.PacketConn != nil {
		a.PacketConn.Close()
	}
	a.client.Close()
	a.base.Close()
}
