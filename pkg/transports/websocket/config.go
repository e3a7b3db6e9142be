package websocket

import "time"

// Config configures the transport; the zero value is the default.
type Config struct {
	// PingInterval is how often the other side is asked whether it is still
	// there. A connection on which nothing came in for two pings, although
	// somebody was reading, is closed with [ErrPingTimeout]. Default 30 s;
	// negative is never.
	PingInterval time.Duration

	// HandshakeTimeout bounds what an accepted connection may take until it is a
	// websocket, TLS included. Default 10 s; negative is no bound. Dialing is
	// bounded by its context.
	HandshakeTimeout time.Duration

	// Backlog is how many websockets wait to be accepted at most; above that a
	// request is answered with 503. Default 256.
	Backlog int

	// MaxMessageBytes bounds a message of the other side. Messages are passed
	// on as they come in, so this costs no memory. Default 64 MiB; negative is
	// no bound.
	MaxMessageBytes int64

	// Compression compresses every message if the other side can
	// (permessage-deflate, RFC 7692, without context takeover). Off by default:
	// it saves little of what is exchanged here and costs the npm package's
	// servers 220 KiB a connection.
	Compression bool
}

func (c Config) withDefaults() Config {
	if c.PingInterval == 0 {
		c.PingInterval = 30 * time.Second
	}
	if c.HandshakeTimeout == 0 {
		c.HandshakeTimeout = 10 * time.Second
	}
	if c.Backlog <= 0 {
		c.Backlog = 256
	}
	if c.MaxMessageBytes == 0 {
		c.MaxMessageBytes = 64 << 20
	}
	return c
}
