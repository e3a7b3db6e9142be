package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// accepting is a transport that accepts.
type accepting struct {
	listener net.Listener // nil for transports that negotiate
}

// Accept starts to accept peers over a transport and tells every peer so. It
// returns once others can connect; ctx bounds the call only. A zero opts.Port
// picks a free one. For a transport that negotiates, such as webrtc, there is
// nothing to listen on: peers are introduced by peers.
//
// Errors: ErrUnknownTransport, ErrAlreadyAccepting, ErrClosed, and those of the
// transport.
func (ex *Exchange) Accept(ctx context.Context, transport string, opts transports.Options) error {
	transport = strings.ToLower(transport)
	if err := ex.accept(ctx, transport, opts); err != nil {
		return fmt.Errorf("accept %s: %w", transport, err)
	}
	return nil
}

func (ex *Exchange) accept(ctx context.Context, transport string, opts transports.Options) error {
	t := ex.transports[transport]
	lister, listens := t.(transports.Listener)
	if _, negotiates := t.(transports.Negotiator); !listens && !negotiates {
		return fmt.Errorf("%w; those there are: %s", ErrUnknownTransport, strings.Join(ex.transportNames, ", "))
	}
	a := &accepting{}
	if err := ex.reserveAccept(transport, a); err != nil {
		return err
	}
	if listens {
		l, err := lister.Listen(ctx, opts)
		if err != nil {
			ex.forgetAccept(transport)
			return err
		}
		if addr, ok := l.Addr().(*net.TCPAddr); ok {
			opts.Port = addr.Port
		}
		a.listener = l
	}
	announced, err := json.Marshal(opts)
	if err == nil {
		err = ex.announce(transport, a, announced)
	}
	if err != nil {
		if a.listener != nil {
			a.listener.Close()
		}
		ex.forgetAccept(transport)
		return err
	}
	return nil
}

func (ex *Exchange) reserveAccept(transport string, a *accepting) error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.endsLocked() {
		return ErrClosed
	}
	if _, taken := ex.listeners[transport]; taken {
		return ErrAlreadyAccepting
	}
	ex.listeners[transport] = a
	return nil
}

func (ex *Exchange) forgetAccept(transport string) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	delete(ex.listeners, transport)
}

// announce makes what is accepted known, and starts to serve it.
func (ex *Exchange) announce(transport string, a *accepting, announced json.RawMessage) error {
	if a.listener != nil {
		err := ex.start(func() {
			if err := ex.Serve(a.listener, transport); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, ErrClosed) {
				ex.report(fmt.Errorf("accept %s: %w", transport, err))
			}
		})
		if err != nil {
			return err
		}
	}
	ex.mu.Lock()
	if ex.endsLocked() {
		ex.mu.Unlock()
		return ErrClosed
	}
	ex.announced = ex.announced.with(transport, announced)
	ex.mu.Unlock()
	for _, p := range ex.Peers() {
		p.dialect.announce(transport, announced)
	}
	return nil
}

// Unaccept stops accepting peers over a transport: the listener closes, peers
// that are connected stay, and all are told. Errors: ErrNotAccepting.
func (ex *Exchange) Unaccept(transport string) error {
	transport = strings.ToLower(transport)
	ex.mu.Lock()
	a := ex.listeners[transport]
	if _, announced := ex.announced[transport]; a == nil || !announced {
		ex.mu.Unlock()
		return fmt.Errorf("unaccept %s: %w", transport, ErrNotAccepting)
	}
	delete(ex.listeners, transport)
	ex.announced = ex.announced.without(transport)
	ex.mu.Unlock()
	if a.listener != nil {
		a.listener.Close()
	}
	for _, p := range ex.Peers() {
		p.dialect.unannounce(transport)
	}
	return nil
}

// accepts tells whether this node announces a transport.
func (ex *Exchange) accepts(transport string) bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	_, ok := ex.announced[transport]
	return ok
}

// Serve takes peers from a listener that exists already, until it is closed or
// the exchange is, and closes it then. Nobody is told of it: Accept is for that.
// transport names what the connections are; it need not be in Config.Transports.
func (ex *Exchange) Serve(l net.Listener, transport string) error {
	defer l.Close()
	ex.mu.Lock()
	closed := ex.endsLocked()
	ex.serving[l] = struct{}{}
	ex.mu.Unlock()
	defer func() {
		ex.mu.Lock()
		defer ex.mu.Unlock()
		delete(ex.serving, l)
	}()
	if closed {
		return ErrClosed
	}
	for {
		conn, err := l.Accept()
		if err == nil {
			ex.ServeConn(conn, transport)
			continue
		}
		// Out of file descriptors, most likely: others may close theirs.
		if !isTemporary(err) {
			return err
		}
		ex.logger.Warn("accept", "transport", transport, "err", err)
		if !pause(ex.lifetime, 50*time.Millisecond+rand.N(50*time.Millisecond)) {
			return ErrClosed
		}
	}
}

// ServeConn takes one connection that another node made. It returns at once; a
// connection that exceeds a limit, or that is no peer in the end, is closed.
func (ex *Exchange) ServeConn(conn net.Conn, transport string) {
	ex.serveConn(conn, transport, introduction{})
}

// serveConn takes a connection that was made to this node, or negotiated through
// another one.
func (ex *Exchange) serveConn(conn net.Conn, transport string, from introduction) {
	host := hostOf(conn.RemoteAddr())
	owner := ownerOf(conn)
	release := func() { ex.admission.release(owner, 1) }
	limit, ok := ex.admission.acquire(owner, 1)
	if !ok {
		release, ok = ex.admitExpected(host)
	}
	if !ok {
		ex.refused(limit, owner.Addr().String())
		conn.Close()
		return
	}
	p := newPeer(ex, conn, transport, false)
	p.introducer, p.introduced = from.by, from.alias
	p.expected = limit != ""
	if err := ex.launch(p, release); err != nil {
		conn.Close()
	}
}

func isTemporary(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.As(err, &temporary) && temporary.Temporary()
}
