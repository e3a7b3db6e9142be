package memory

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// Config configures one node's transport; the zero value is the default.
type Config struct {
	// Name is what the transport is called. Default "memory". A test that needs
	// the exchange to treat it as one that the npm package knows calls it
	// "tcp", "websocket" or "webrtc". As "websocket" it carries Options.Token.
	Name string

	// Address is the node's own address, an IP address. Default 127.0.0.1.
	Address string

	// BufferSize is how many bytes one side can write that the other has not
	// read yet. Default 64 KiB.
	BufferSize int
}

func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = "memory"
	}
	if c.Address == "" {
		c.Address = "127.0.0.1"
	}
	if c.BufferSize <= 0 {
		c.BufferSize = 64 << 10
	}
	return c
}

// Transport is a node's access to a [Network]: it dials, listens and
// negotiates. [Transport.Direct] and [Transport.Negotiated] have only one part
// of that.
type Transport struct {
	// Static after construction.
	network *Network
	config  Config
	host    netip.Addr
}

var (
	_ transport.Dialer     = (*Transport)(nil)
	_ transport.Listener   = (*Transport)(nil)
	_ transport.Negotiator = (*Transport)(nil)
)

// New makes the transport of a node. It panics if config.Address is no IP
// address.
func (n *Network) New(config Config) *Transport {
	config = config.withDefaults()
	return &Transport{network: n, config: config, host: netip.MustParseAddr(config.Address)}
}

// New makes the transport of a node that is alone on its network.
func New(config Config) *Transport { return NewNetwork().New(config) }

// Name is the configured name.
func (t *Transport) Name() string { return t.config.Name }

// Dial connects to a listener of the network; host is an IP address unless opts
// has one. A listener
// whose backlog is full refuses, as one that does not exist does.
func (t *Transport) Dial(ctx context.Context, host string, opts transport.Options) (net.Conn, error) {
	name := net.JoinHostPort(host, strconv.Itoa(opts.Port))
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("dial memory %s: %w", name, err)
	}
	addr := opts.IP
	if !addr.IsValid() {
		var err error
		if addr, err = netip.ParseAddr(host); err != nil {
			return nil, fmt.Errorf("dial memory %s: %w", name, err)
		}
	}
	l := t.network.listenerAt(netip.AddrPortFrom(addr, uint16(opts.Port)))
	if l == nil {
		return nil, fmt.Errorf("dial memory %s: %w", name, syscall.ECONNREFUSED)
	}
	here, there := pipe(t.network.ephemeral(t.host), l.addr, t.config.BufferSize)
	if t.config.Name == transport.WebSocket {
		there.token = opts.Token
	}
	if !l.offer(there) {
		here.Close()
		there.Close()
		return nil, fmt.Errorf("dial memory %s: %w", name, syscall.ECONNREFUSED)
	}
	return here, nil
}

// Listen accepts connections at opts.Host, which is the node's own address
// unless given, and opts.Port.
func (t *Transport) Listen(ctx context.Context, opts transport.Options) (net.Listener, error) {
	host := t.host
	if opts.Host != "" {
		var err error
		if host, err = netip.ParseAddr(opts.Host); err != nil {
			return nil, fmt.Errorf("listen memory %s: %w", opts.Host, err)
		}
	}
	addr := netip.AddrPortFrom(host, uint16(opts.Port))
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("listen memory %s: %w", addr, err)
	}
	l := newListener(t.network, addr)
	if !t.network.register(l) {
		return nil, fmt.Errorf("listen memory %s: %w", addr, syscall.EADDRINUSE)
	}
	return l, nil
}
