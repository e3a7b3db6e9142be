package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// Connect connects to a node whose address is known, such as a seed: transport
// is "websocket", "tcp" or the name of a transport of your own, host an IP
// address or a host name. It returns once the peer is ready. ctx bounds the call
// only. A connection to the same node that a peer has led to, at another address, ends
// in favour of this one.
//
// Errors: ErrUnknownTransport, ErrUnauthorized, ErrNetworkMismatch,
// ErrVersionMismatch, ErrHandshakeTimeout, ErrDuplicate or ErrSelf if the node turned out to be
// connected already or this one, ErrClosed, the context's, and those of the
// transport.
func (ex *Exchange) Connect(ctx context.Context, transport, host string, opts transports.Options) (*Peer, error) {
	return ex.connect(ctx, transport, host, opts, true)
}

// connect is Connect. A node is chosen if the application has named it.
func (ex *Exchange) connect(ctx context.Context, transport, host string, opts transports.Options, chosen bool) (*Peer, error) {
	transport = strings.ToLower(transport)
	dialer, err := ex.dialer(transport)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", host, err)
	}
	if err := checkToken(opts.Token); err != nil {
		return nil, fmt.Errorf("connect to %s over %s: %w", host, transport, err)
	}
	c, err := ex.dial(ctx, dialer, host, opts)
	if err != nil {
		return nil, fmt.Errorf("connect to %s over %s: %w", host, transport, err)
	}
	c.protocol, c.token, c.chosen = ex.config.Protocol, opts.Token, chosen
	p, err := ex.handshake(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("connect to %s over %s: %w", host, transport, err)
	}
	return p, nil
}

// ConnectURL is Connect with an address as seeds publish it: "wss://host:port",
// "ws://host:port", "tcp://host:port" or "tls://host:port". Published clients
// know no path, so a URL has none but "/". With "?token=…" it has the token to
// present.
func (ex *Exchange) ConnectURL(ctx context.Context, address string) (*Peer, error) {
	a, err := parseURL(address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return ex.Connect(ctx, a.transport, a.host, transports.Options{Port: a.port, Secure: a.secure, Token: a.token})
}

// connectRemembered is ConnectURL for an address that may be one that a peer has
// offered once. by is the peer that has just named it, if one has: like an offer it
// may lead only where that peer can know of.
func (ex *Exchange) connectRemembered(ctx context.Context, address string, by *Peer) (*Peer, error) {
	a, err := parseURL(address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	opts := transports.Options{Port: a.port, Secure: a.secure}
	if _, named := a.ip(); named && by != nil {
		if opts.IP = ex.resolveOffer(ctx, by, a.host); !opts.IP.IsValid() {
			return nil, fmt.Errorf("connect to %s: %w: it leads nowhere that the peer which has named it can know", a.host, ErrNoCandidates)
		}
	}
	return ex.connect(ctx, a.transport, a.host, opts, false)
}

// connected is a connection to a node that the handshake has still to show to be
// a peer.
type connected struct {
	conn      net.Conn
	transport string
	protocol  Protocol
	dialed    string // see Peer.dialed
	token     string // to present; none to nodes that a peer has named
	chosen    bool   // see Peer.chosen
	links     bool   // it is to become a link to a sibling
	alias     string // see Peer.introduced
}

func (ex *Exchange) dialer(transport string) (transports.Dialer, error) {
	dialer, ok := ex.transports[transport].(transports.Dialer)
	if !ok {
		return nil, fmt.Errorf("%w: %q cannot dial; those that can: %s", ErrUnknownTransport, transport, strings.Join(ex.dialable(), ", "))
	}
	return dialer, nil
}

func (ex *Exchange) dialable() []string {
	var names []string
	for _, name := range ex.transportNames {
		if _, ok := ex.transports[name].(transports.Dialer); ok {
			names = append(names, name)
		}
	}
	return names
}

func (ex *Exchange) dial(ctx context.Context, dialer transports.Dialer, host string, opts transports.Options) (*connected, error) {
	ctx, cancel := ex.bound(ctx)
	defer cancel()
	if opts.TLS == nil {
		opts.TLS = ex.config.TLS
	}
	conn, err := dialer.Dial(ctx, host, opts)
	switch {
	case err != nil && context.Cause(ctx) == ErrClosed:
		return nil, ErrClosed
	case err != nil:
		return nil, err
	}
	return &connected{conn: conn, transport: dialer.Name(), dialed: formatURL(dialer.Name(), host, opts)}, nil
}

// dialOffer dials an address that a peer offered. A peer may send this node
// anywhere, so it is held to addresses that it can know from its own place.
func (ex *Exchange) dialOffer(ctx context.Context, by *Peer, a wire.Answer) (*connected, error) {
	dialer, err := ex.dialer(a.Transport)
	if err != nil {
		return nil, err
	}
	var opts transports.Options
	if err := json.Unmarshal(a.Opts, &opts); err != nil {
		return nil, fmt.Errorf("%w: offered candidate: %w", ErrProtocol, err)
	}
	host := a.Address
	addr, isIP := dialAddress(host)
	if isIP {
		host = addr.String()
	}
	if ex.isDialed(formatURL(a.Transport, host, opts)) {
		return nil, ErrDuplicate
	}
	if !isIP {
		addr = ex.resolveOffer(ctx, by, host)
		opts.IP = addr
	}
	if !reaches(by.addr, addr) {
		return nil, fmt.Errorf("%w: peer offered a candidate at %.64q, which it cannot know", ErrNoCandidates, a.Address)
	}
	c, err := ex.dial(ctx, dialer, host, opts)
	if err != nil {
		return nil, fmt.Errorf("dial offered candidate: %w", err)
	}
	c.protocol, c.alias = V0, a.Alias
	if !opts.Secure {
		// What is remembered is where it was found: a name without a certificate for it
		// may lead elsewhere the next time.
		c.dialed = formatURL(a.Transport, addr.String(), opts)
	}
	return c, nil
}

// resolveOffer returns an address of a host that a peer offered, one that the peer
// can know if there is any. It is what is dialed then, so that the name does not
// lead elsewhere the next time that it is looked up.
func (ex *Exchange) resolveOffer(ctx context.Context, by *Peer, host string) netip.Addr {
	if !isHostName(host) {
		return netip.Addr{}
	}
	// A name that is not known is no address, like one that cannot be known.
	addrs, _ := ex.lookup(ctx, "ip", host)
	for _, addr := range addrs {
		if addr = addr.Unmap(); reaches(by.addr, addr) {
			return addr
		}
	}
	return netip.Addr{}
}

// handshake makes a peer of an outgoing connection.
func (ex *Exchange) handshake(ctx context.Context, c *connected) (*Peer, error) {
	p := newPeer(ex, c.conn, c.transport, true)
	p.protocol, p.dialed, p.token, p.chosen, p.links, p.introduced = c.protocol, c.dialed, c.token, c.chosen, c.links, c.alias
	if err := ex.launch(p, func() {}); err != nil {
		c.conn.Close()
		return nil, err
	}
	select {
	case <-p.ready:
		return p, nil
	case <-p.done:
	case <-ctx.Done():
		p.fail(ctx.Err())
	}
	// Ready and done may both be true by now; then it was a peer, and is over.
	err := p.Err()
	if instance := p.Instance(); p.links && instance != "" && ctx.Err() == nil {
		if other := ex.siblingPeer(instance); other != nil {
			return other, nil // either side found that there is a link already
		}
	}
	switch {
	case errors.Is(err, net.ErrClosed):
		return nil, ErrClosed
	case errors.Is(err, io.EOF) && ex.isDuplicate(p):
		err = ErrDuplicate // which the other node has found out
		fallthrough
	default:
		return nil, fmt.Errorf("handshake: %w", err)
	}
}

// launch starts the goroutine of a new connection. release is called when it
// ends, or at once if it does not start.
func (ex *Exchange) launch(p *Peer, release func()) error {
	p.release = sync.OnceFunc(release)
	if err := ex.addConnection(p); err != nil {
		p.release()
		return err
	}
	if err := ex.start(p.run); err != nil {
		ex.removePeer(p)
		ex.removeConnection(p)
		p.release()
		return err
	}
	return nil
}

// bound makes a context that ends with the call's or the node.
func (ex *Exchange) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(ex.lifetime, func() { cancel(ErrClosed) })
	return ctx, func() { unhook(); cancel(nil) }
}
