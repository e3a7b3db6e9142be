package tcp

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// Config configures the transport; the zero value is the default.
type Config struct {
	// KeepAlive is how long a connection may be silent before the kernel asks
	// whether the other side is still there; it asks every third of that, and
	// gives up after three questions. Default 30 s; negative is never.
	KeepAlive time.Duration
}

func (c Config) withDefaults() Config {
	if c.KeepAlive == 0 {
		c.KeepAlive = 30 * time.Second
	}
	return c
}

func (c Config) keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{
		Enable:   c.KeepAlive > 0,
		Idle:     c.KeepAlive,
		Interval: c.KeepAlive / 3,
		Count:    3,
	}
}

// Transport dials and listens on TCP.
type Transport struct {
	// Static after construction.
	config Config
}

var (
	_ transport.Dialer   = (*Transport)(nil)
	_ transport.Listener = (*Transport)(nil)
)

// New makes the transport.
func New(config Config) *Transport { return &Transport{config: config.withDefaults()} }

// Name is "tcp".
func (t *Transport) Name() string { return transport.TCP }

// Dial connects to opts.Port of host, which has no default. With opts.Secure
// the connection is returned after the TLS handshake; the name that the
// certificate must have is host, unless opts.TLS names another.
//
// The connection is a *net.TCPConn or a *tls.Conn.
func (t *Transport) Dial(ctx context.Context, host string, opts transport.Options) (net.Conn, error) {
	addr := net.JoinHostPort(host, strconv.Itoa(opts.Port))
	if opts.Port < 1 || opts.Port > 65535 {
		return nil, fmt.Errorf("dial tcp %s: port is not from 1 to 65535", addr)
	}
	place := addr
	if opts.IP.IsValid() {
		place = net.JoinHostPort(opts.IP.String(), strconv.Itoa(opts.Port))
	}
	dialer := net.Dialer{KeepAlive: -1, KeepAliveConfig: t.config.keepAlive()}
	conn, err := dialer.DialContext(ctx, "tcp", place)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	if !opts.Secure {
		return conn, nil
	}
	secure := tls.Client(conn, clientTLS(opts.TLS, host))
	if err := secure.HandshakeContext(ctx); err != nil {
		secure.Close()
		return nil, fmt.Errorf("dial %s: tls: %w", addr, err)
	}
	return secure, nil
}

func clientTLS(config *tls.Config, host string) *tls.Config {
	if config == nil {
		return &tls.Config{ServerName: host}
	}
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = host
	}
	return config
}

// Listen accepts connections on opts.Host and opts.Port. With opts.Secure it
// needs a certificate in opts.TLS, and the handshake of a connection is made by
// the first Read or Write on it; whoever accepts bounds the time of that.
func (t *Transport) Listen(ctx context.Context, opts transport.Options) (net.Listener, error) {
	addr := net.JoinHostPort(opts.Host, strconv.Itoa(opts.Port))
	if opts.Secure && !hasCertificate(opts.TLS) {
		return nil, fmt.Errorf("listen tcp %s: secure, but without a certificate", addr)
	}
	config := net.ListenConfig{KeepAlive: -1, KeepAliveConfig: t.config.keepAlive()}
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", addr, err)
	}
	if opts.Secure {
		l = tls.NewListener(l, opts.TLS)
	}
	return l, nil
}

func hasCertificate(config *tls.Config) bool {
	return config != nil && (len(config.Certificates) > 0 || config.GetCertificate != nil || config.GetConfigForClient != nil)
}
