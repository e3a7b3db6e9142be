package websocket

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// Dial connects to ws://host:port/, or to wss://host:port/ with opts.Secure. A
// zero port is 80 or 443. opts.Token goes into the request. The name that a certificate must have is host, unless
// opts.TLS names another. It fails with a [*StatusError] if the answer is that
// of an HTTP server and no websocket. The connection is a [*Conn].
func (t *Transport) Dial(ctx context.Context, host string, opts transport.Options) (net.Conn, error) {
	target := dialURL(host, opts)
	conn, err := t.dial(ctx, target, opts, clientTLS(opts.TLS, host))
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("dial %s: %w", target, err)
	}
	return conn, nil
}

func dialURL(host string, opts transport.Options) string {
	scheme, port := "ws", 80
	if opts.Secure {
		scheme, port = "wss", 443
	}
	if opts.Port != 0 {
		port = opts.Port
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, strconv.Itoa(port)), Path: "/"}
	return u.String()
}

func (t *Transport) dial(ctx context.Context, target string, opts transport.Options, config *tls.Config) (net.Conn, error) {
	stop := func() bool { return true }
	dialer := websocket.Dialer{
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialer := net.Dialer{KeepAlive: t.config.tcpKeepAlive()}
			if opts.IP.IsValid() {
				_, port, err := net.SplitHostPort(addr)
				if err != nil {
					return nil, err
				}
				addr = net.JoinHostPort(opts.IP.String(), port)
			}
			conn, err := dialer.DialContext(ctx, network, addr)
			if err == nil {
				// gorilla minds a deadline of ctx, but not that it is cancelled.
				stop = context.AfterFunc(ctx, func() { conn.Close() })
			}
			return conn, err
		},
		TLSClientConfig:   config,
		EnableCompression: t.config.Compression,
		ReadBufferSize:    readBuffer,
		WriteBufferSize:   writeBuffer,
		WriteBufferPool:   &writeBuffers,
	}
	ws, response, err := dialer.DialContext(ctx, target, requestHeader(opts.Token))
	if !stop() {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, handshakeError(err, response)
	}
	return newConn(ws, "", "", &t.config), nil
}

func handshakeError(err error, response *http.Response) error {
	if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
		return &StatusError{Code: response.StatusCode, Message: messageOf(response)}
	}
	if errors.Is(err, websocket.ErrBadHandshake) {
		return errors.New("server answered with no valid websocket handshake")
	}
	return err
}

// messageOf is the `error` of a JSON object that is the body, of which gorilla
// has kept 1 KiB.
func messageOf(response *http.Response) string {
	var body struct{ Error string }
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return ""
	}
	return strings.ToValidUTF8(body.Error[:min(len(body.Error), 256)], "")
}

// alpn keeps a server from choosing HTTP/2, which has no upgrades.
var alpn = []string{"http/1.1"}

func clientTLS(config *tls.Config, host string) *tls.Config {
	if config == nil {
		return &tls.Config{ServerName: host, NextProtos: alpn}
	}
	config = config.Clone()
	config.NextProtos = alpn
	if config.ServerName == "" {
		config.ServerName = host
	}
	return config
}
