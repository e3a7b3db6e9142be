package transporttest

import (
	"context"
	"net"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// Subject is the transport under test, in one or two of its roles. The two
// sides may be the same value.
type Subject struct {
	// Dialer and Listener connect to each other by address. Both or neither.
	Dialer   transport.Dialer
	Listener transport.Listener

	// Listen is what Listener listens with. Its Port should be 0.
	Listen transport.Options

	// Dial is what Dialer dials with, once its Port is set to the listener's.
	Dial transport.Options

	// Host is what Dialer dials. Default "127.0.0.1".
	Host string

	// Initiator and Responder negotiate with each other. Both or neither.
	Initiator transport.Negotiator
	Responder transport.Negotiator

	// DeadlinesAreFinal says that a connection is of no use after a deadline that
	// passed: what it was in the middle of, such as a TLS record or a frame of a
	// websocket, cannot be taken up again. Deadlines then have to end Read and
	// Write, and no more than that. Otherwise the connection has to go on when
	// they are moved, and to pass golang.org/x/net/nettest, which checks it too.
	DeadlinesAreFinal bool
}

func (s Subject) withDefaults(t *testing.T) Subject {
	t.Helper()
	if s.Host == "" {
		s.Host = "127.0.0.1"
	}
	if (s.Dialer == nil) != (s.Listener == nil) || (s.Initiator == nil) != (s.Responder == nil) {
		t.Fatal("a Subject needs both sides")
	}
	if s.Dialer == nil && s.Initiator == nil {
		t.Fatal("a Subject needs Dialer and Listener, or Initiator and Responder")
	}
	return s
}

// listen listens until the test ends.
func (s Subject) listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := s.Listener.Listen(t.Context(), s.Listen)
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// at is what to dial the listener with.
func (s Subject) at(t *testing.T, l net.Listener) transport.Options {
	t.Helper()
	opts := s.Dial
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("Addr of the listener is a %T, want *net.TCPAddr", l.Addr())
	}
	opts.Port = addr.Port
	return opts
}

// dial makes a connection through the listener. The caller closes both ends.
func (s Subject) dial(ctx context.Context, t *testing.T, l net.Listener) (dialed, accepted net.Conn) {
	t.Helper()
	acceptedc := async(func() (net.Conn, error) { return acceptShaken(ctx, l) })
	dialed, err := s.Dialer.Dial(ctx, s.Host, s.at(t, l))
	if err != nil {
		l.Close()
		t.Fatalf("Dial: %v", err)
	}
	got := <-acceptedc
	if got.err != nil {
		dialed.Close()
		t.Fatalf("Accept: %v", got.err)
	}
	return dialed, got.value
}

// acceptShaken accepts a connection and makes the handshake that its first Read
// would make, and that the dialing side waits for.
func acceptShaken(ctx context.Context, l net.Listener) (net.Conn, error) {
	conn, err := l.Accept()
	if err != nil {
		return nil, err
	}
	if shaker, ok := conn.(interface{ HandshakeContext(context.Context) error }); ok {
		if err := shaker.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// negotiate makes a connection by signals. The caller closes both ends.
func (s Subject) negotiate(ctx context.Context, t *testing.T) (initiator, responder net.Conn) {
	t.Helper()
	a, b := NewSignaling()
	defer a.Close()
	defer b.Close()
	initiated := async(func() (net.Conn, error) { return s.Initiator.Negotiate(ctx, transport.Initiator, a) })
	responder, err := s.Responder.Negotiate(ctx, transport.Responder, b)
	if err != nil {
		a.Close()
		b.Close()
		if got := <-initiated; got.err == nil {
			got.value.Close()
		}
		t.Fatalf("Negotiate as responder: %v", err)
	}
	got := <-initiated
	if got.err != nil {
		responder.Close()
		t.Fatalf("Negotiate as initiator: %v", got.err)
	}
	return got.value, responder
}

// result is what a call returned.
type result[T any] struct {
	value T
	err   error
}

// async makes a call in the background.
func async[T any](call func() (T, error)) <-chan result[T] {
	done := make(chan result[T], 1)
	go func() {
		value, err := call()
		done <- result[T]{value, err}
	}()
	return done
}
