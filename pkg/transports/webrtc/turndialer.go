package webrtc

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/pion/stun"
	pion "github.com/pion/webrtc/v3"
)

// turnDialer connects to TURN servers over TCP and TLS. pion hands the dialing
// over, TLS included, but does not tell which of the two a server speaks, so
// that is found by its address.
type turnDialer struct {
	// Static after construction.
	config *tls.Config
	secure map[string]string // the addresses of turns: servers, and their hosts
}

func newTURNDialer(config *tls.Config, servers []pion.ICEServer) *turnDialer {
	d := &turnDialer{config: config, secure: make(map[string]string)}
	for _, server := range servers {
		for _, url := range server.URLs {
			if uri, err := stun.ParseURI(url); err == nil && uri.Scheme == stun.SchemeTypeTURNS {
				// In the form in which pion dials.
				d.secure[fmt.Sprintf("%s:%d", uri.Host, uri.Port)] = uri.Host
			}
		}
	}
	return d
}

// Dial implements proxy.Dialer of golang.org/x/net, as pion takes it.
func (d *turnDialer) Dial(network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	host, ok := d.secure[addr]
	if !ok {
		return conn, nil
	}
	config := d.config.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("tls: %w", err)
	}
	return secure, nil
}
