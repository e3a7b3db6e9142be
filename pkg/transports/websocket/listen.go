package websocket

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// maxRequestBytes bounds the header of a request; net/http adds 4 KiB.
const maxRequestBytes = 12 << 10

// Listen takes websockets on an HTTP server of its own, at opts.Host and
// opts.Port. With opts.Secure it needs a certificate in opts.TLS. Closing the
// listener cuts handshakes in progress.
func (t *Transport) Listen(ctx context.Context, opts transport.Options) (net.Listener, error) {
	addr := net.JoinHostPort(opts.Host, strconv.Itoa(opts.Port))
	if opts.Secure && !hasCertificate(opts.TLS) {
		return nil, fmt.Errorf("listen websocket %s: secure, but without a certificate", addr)
	}
	config := net.ListenConfig{KeepAlive: t.config.tcpKeepAlive()}
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", addr, err)
	}
	if opts.Secure {
		l = tls.NewListener(l, serverTLS(opts.TLS))
	}
	return newListener(l, t.config), nil
}

// listener is a Handler with the server that it is on.
type listener struct {
	*Handler

	server *http.Server
	served sync.WaitGroup
}

func newListener(l net.Listener, config Config) *listener {
	handler := NewHandler(l.Addr(), config)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: max(handler.config.HandshakeTimeout, 0),
		MaxHeaderBytes:    maxRequestBytes,
		ErrorLog:          log.New(io.Discard, "", 0), // a stranger's mistakes
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	server.SetKeepAlivesEnabled(false)
	wl := &listener{Handler: handler, server: server}
	wl.served.Go(func() {
		// Without a server no connection comes in any more: Accept has to say so.
		server.Serve(l)
		handler.Close()
	})
	return wl
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.Handler.Close()
	err := l.server.Close()
	l.served.Wait()
	return err
}

func serverTLS(config *tls.Config) *tls.Config {
	config = config.Clone()
	config.NextProtos = alpn
	return config
}

func hasCertificate(config *tls.Config) bool {
	return config != nil && (len(config.Certificates) > 0 || config.GetCertificate != nil || config.GetConfigForClient != nil)
}

// tcpKeepAlive is for net.Dialer and net.ListenConfig: pings make the kernel's
// questions superfluous.
func (c Config) tcpKeepAlive() time.Duration {
	if c.PingInterval > 0 {
		return -1
	}
	return 0
}
