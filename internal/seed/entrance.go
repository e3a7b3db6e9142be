package seed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/peerexchange/peerexchange/internal/accept"
)

// plainAnswer is for a person whose URL says http:// or ws:// where TLS is spoken.
const plainAnswer = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" +
	"This port speaks TLS: use https:// or wss://.\n"

// entrance leads each connection to whoever speaks its protocol. A connection
// has a goroutine of its own until that is settled.
type entrance struct {
	// Static after construction.
	handshakeTime time.Duration  // for a PROXY header, TLS and the first bytes; not positive is no bound
	proxies       proxies        // who may send a PROXY header
	exchange      func(net.Conn) // takes a stream of the exchange's protocol
	requests      *handoff       // takes a connection with HTTP requests
	turn, turns   *handoff       // take one that speaks STUN, without TLS and with it; nil if nobody does
	pending       pending        // an HTTP connection stays in until it is closed or a websocket
	refusals      *refusals
	logger        *slog.Logger
	done          chan struct{} // closed when no more connections are to be taken

	running sync.WaitGroup
}

// serve takes the connections of a listener until it is closed, when it returns
// nil, or fails. A nil config is for connections without TLS, and only, unless
// undecided, all that they may speak.
func (e *entrance) serve(l net.Listener, config *tls.Config, only protocol) error {
	return accept.Loop(l, e.done, e.logger, func(raw net.Conn) { e.take(raw, config, only) })
}

// take starts to look at a connection.
func (e *entrance) take(raw net.Conn, config *tls.Config, only protocol) {
	c := &conn{headed: headed{Conn: raw}}
	evicted, ok := e.pending.enter(c, raw)
	if !ok {
		raw.Close()
		return
	}
	if evicted != nil {
		e.refusals.add(refusedPending, evicted.from().String())
		evicted.raw.Close()
	}
	e.running.Go(func() { e.lead(c, raw, config, only) })
}

// lead finds out what a connection speaks and passes it on.
func (e *entrance) lead(c *conn, raw net.Conn, config *tls.Config, only protocol) {
	speaks, err := e.listen(c, raw, config)
	if err != nil {
		e.dismiss(c, raw, err)
		return
	}
	if only != undecided && speaks != only && speaks != proxyHeader {
		e.dismiss(c, raw, errNotHere)
		return
	}
	switch speaks {
	case httpRequest:
		if !e.requests.deliver(c) {
			e.pending.leave(c)
			raw.Close()
		}
	case exchangeStream:
		if !e.pending.leave(c) {
			return // it was closed
		}
		keepAlive(raw)
		if c.secure {
			e.exchange(c)
		} else {
			e.exchange(tcpConn{c})
		}
	case stunMessage:
		e.relay(c, raw)
	case tlsRecord:
		e.dismiss(c, raw, errTLSOnPlain)
	default:
		e.dismiss(c, raw, errUntrustedHeader)
	}
}

// relay passes a connection on to the TURN server, which bounds those that come to
// nothing itself.
func (e *entrance) relay(c *conn, raw net.Conn) {
	to := e.turn
	if c.secure {
		to = e.turns
	}
	if to == nil {
		e.dismiss(c, raw, errTURNOff)
		return
	}
	keepAlive(raw)
	if e.pending.leave(c) && !to.deliver(c) {
		raw.Close()
	}
}

var (
	errNotHere         = errors.New("client speaks what this port does not take")
	errTURNOff         = errors.New("client asks for TURN, which is off")
	errTLSOnPlain      = errors.New("client speaks TLS on the port without TLS; the one with TLS is another")
	errUntrustedHeader = fmt.Errorf("%w: only those of --trusted-proxies may send one, once and before TLS", errProxyHeader)
)

// listen takes a proxy's word, shakes hands and reads the first bytes, all in the
// handshake's time.
func (e *entrance) listen(c *conn, raw net.Conn, config *tls.Config) (protocol, error) {
	if e.handshakeTime > 0 {
		raw.SetDeadline(time.Now().Add(e.handshakeTime))
	}
	if e.proxies.trust(ipOf(raw.RemoteAddr())) {
		client, rest, err := readProxyHeader(raw)
		if err != nil {
			return undecided, err
		}
		c.client.Store(client)
		c.head = rest
	}
	if config != nil {
		under := raw
		if len(c.head) > 0 {
			under, c.head = &headed{Conn: raw, head: c.head}, nil
		}
		secure := tls.Server(under, config)
		c.Conn, c.secure = secure, true
		if err := secure.HandshakeContext(context.Background()); err != nil {
			return undecided, err
		}
	}
	head := make([]byte, readAhead)
	for n := 0; ; {
		m, err := c.Read(head[n:])
		n += m
		if n > 0 {
			if speaks := detect(head[:n]); speaks != undecided {
				c.head = append(head[:n:n], c.head...)
				return speaks, raw.SetDeadline(time.Time{})
			}
		}
		if err != nil {
			return undecided, err
		}
	}
}

// dismiss closes a connection that is of no use, and keeps account of why.
func (e *entrance) dismiss(c *conn, raw net.Conn, err error) {
	defer raw.Close()
	if !e.pending.leave(c) {
		return // it was closed, and that was counted
	}
	from := c.RemoteAddr().String()
	var notTLS tls.RecordHeaderError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		// Whoever looks whether the port is open does no more than that.
		e.logger.Debug("connection closed before it said anything", "remote_addr", from)
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.refusals.add(refusedHandshakeTime, from)
	case errors.Is(err, errTLSOnPlain):
		e.refusals.add(refusedTLSOnPlain, from)
	case errors.Is(err, errTURNOff):
		e.refusals.add(refusedTURNOff, from)
	case errors.Is(err, errProxyHeader):
		e.refusals.add(refusedProxyHeader, from, "err", err)
	case errors.As(err, &notTLS) && notTLS.Conn != nil && detect(notTLS.RecordHeader[:]) == proxyHeader:
		e.refusals.add(refusedProxyHeader, from, "err", errUntrustedHeader)
	case errors.As(err, &notTLS) && notTLS.Conn != nil:
		if detect(notTLS.RecordHeader[:]) == httpRequest {
			answerPlain(raw)
		}
		e.refusals.add(refusedPlainOnTLS, from)
	case c.secure:
		e.refusals.add(refusedTLS, from, "err", err)
	case errors.Is(err, errNotHere):
		e.logger.Debug("connection closed", "remote_addr", from, "err", err)
	default:
		e.logger.Debug("connection lost before it said anything", "remote_addr", from, "err", err)
	}
}

// answerPlain tells a client about TLS. What it has sent is read, or else TCP
// would throw the answer away.
func answerPlain(raw net.Conn) {
	raw.SetDeadline(time.Now().Add(goodbyeTime))
	if _, err := io.WriteString(raw, plainAnswer); err != nil {
		return
	}
	if half, ok := raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, raw, maxHeaderBytes)
	}
}

// close closes what is pending and waits until nothing is left running. The
// listeners have to be closed before, and requests too.
func (e *entrance) close() {
	e.pending.close()
	e.running.Wait()
}

// requestState follows the connections of the HTTP server.
func (e *entrance) requestState(c net.Conn, state http.ConnState) {
	if state == http.StateHijacked || state == http.StateClosed {
		e.pending.leave(c.(*conn))
	}
}
