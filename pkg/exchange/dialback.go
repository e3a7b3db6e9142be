package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// dialBack connects to where a peer says that others can reach it: the host that
// the peer was seen at and no other, whatever it says. It returns nil if the same
// node answers there, else a *checkError.
func (ex *Exchange) dialBack(ctx context.Context, l *listing) error {
	dialer, err := ex.dialer(l.service.transport)
	if err != nil {
		return &checkError{CheckUnreachable, err}
	}
	host, opts := l.peer.addr.String(), transports.Options{Port: l.port, Secure: l.secure}
	switch {
	case l.host != "":
		found, err := ex.lookup(ctx, "ip", l.host)
		if err != nil {
			return &checkError{CheckName, err}
		}
		if !leadsTo(found, l.peer.addr) {
			return &checkError{CheckName, fmt.Errorf("%s is not at %v", l.host, l.peer.addr)}
		}
		host, opts.IP, opts.TLS = l.host, l.peer.addr, ex.config.TLS
	case l.secure:
		// Who connects to an IP address looks for it in the certificate, and trusts
		// whom it wants. Here it is not asked whether the node is trusted, but
		// whether it is there, and it shows that by what it says.
		opts.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	conn, err := dialer.Dial(ctx, host, opts)
	if untrusted := (*tls.CertificateVerificationError)(nil); errors.As(err, &untrusted) {
		return &checkError{CheckCertificate, err}
	} else if err != nil {
		return &checkError{CheckUnreachable, err}
	}
	h, err := ex.askWho(ctx, conn)
	if err != nil {
		return &checkError{CheckUnreachable, fmt.Errorf("no peer answers: %w", err)}
	}
	instance := ""
	if h.Ext != nil {
		instance = h.Ext.Instance
	}
	switch {
	case h.ID != ex.id:
		return &checkError{CheckStranger, fmt.Errorf("%w: %.64q answers", ErrNetworkMismatch, h.ID)}
	case h.Version != 0:
		return &checkError{CheckStranger, fmt.Errorf("%w: version %d answers", ErrVersionMismatch, h.Version)}
	case instance != l.instance:
		return &checkError{CheckStranger, errors.New("another node answers")}
	}
	return nil
}

// askWho returns the hello of whoever accepted a connection, and closes that.
//
// The other node must not take this for a peer: its hello is not acknowledged,
// which a published node needs before it tells its application of a peer, and this
// node's own hello names no instance, so that nodes of this module do not find
// that they are connected twice and give up one of the two. It is written all the
// same, since these wait for it to know what is spoken. And it is closed in order
// once the other node has acknowledged it: a published node reports an error when
// its connection is reset, or over when it has still something to say.
func (ex *Exchange) askWho(ctx context.Context, conn net.Conn) (*wire.Hello, error) {
	session := mux.New(conn, mux.Config{MaxNameBytes: ex.limits.ChannelNameBytes, MaxChannels: ex.limits.ChannelsPerPeer})
	who := &whoAnswers{hello: make(chan *wire.Hello, 1), ack: make(chan struct{}, 1), lines: wire.Lines{Max: ex.limits.lineBytes()}}
	var reading sync.WaitGroup
	defer func() {
		session.Close(nil)
		reading.Wait()
		session.Wait()
	}()
	control, err := session.Channel("pxp", who)
	if err != nil {
		return nil, err
	}
	reading.Go(func() { _ = session.Run() }) // session.Err has it
	control.Send(wire.AppendHello(nil, &wire.Hello{ID: ex.id}))
	select {
	case h := <-who.hello:
		who.awaitAck(ctx, session)
		part(ctx, session, conn)
		return h, nil
	case <-session.Done():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case h := <-who.hello:
		return h, nil // it hung up right after it
	default:
		return nil, session.Err()
	}
}

// whoAnswers waits on a control channel for a hello and a helloack, and for
// nothing else. Of each, one is enough.
type whoAnswers struct {
	hello chan *wire.Hello
	ack   chan struct{}
	lines wire.Lines // owned by the read loop
}

// awaitAck waits for an acknowledgement that mostly is there already, and does
// without where none comes.
func (w *whoAnswers) awaitAck(ctx context.Context, session *mux.Session) {
	ctx, cancel := context.WithTimeout(ctx, closeLinger)
	defer cancel()
	select {
	case <-w.ack:
	case <-session.Done():
	case <-ctx.Done():
	}
}

// Receive implements mux.Receiver.
func (w *whoAnswers) Receive(piece []byte) error {
	return w.lines.Feed(piece, func(line []byte) error {
		var m wire.V0
		if err := wire.DecodeV0(line, &m); err != nil {
			return err
		}
		switch m.Command {
		case wire.V0Hello:
			select {
			case w.hello <- m.Hello:
			default:
			}
		case wire.V0HelloAck:
			select {
			case w.ack <- struct{}{}:
			default:
			}
		}
		return nil
	})
}

// End implements mux.Receiver.
func (w *whoAnswers) End() {}
