package webrtc

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// testTimeout ends a test that hangs; no test depends on its length.
const testTimeout = 60 * time.Second

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// wire is one side of a signaling channel in memory. It keeps what was sent.
type wire struct {
	in  <-chan json.RawMessage
	out chan<- json.RawMessage

	mu   sync.Mutex
	sent []string
}

func newWires() (*wire, *wire) {
	ab, ba := make(chan json.RawMessage, 1000), make(chan json.RawMessage, 1000)
	return &wire{in: ba, out: ab}, &wire{in: ab, out: ba}
}

func (w *wire) Send(ctx context.Context, signal json.RawMessage) error {
	w.mu.Lock()
	w.sent = append(w.sent, string(signal))
	w.mu.Unlock()
	select {
	case w.out <- signal:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *wire) Receive(ctx context.Context) (json.RawMessage, error) {
	select {
	case signal, ok := <-w.in:
		if !ok {
			return nil, io.EOF
		}
		return signal, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *wire) signals() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.sent...)
}

// closeAtEnd closes a transport when the test is over.
func closeAtEnd(t testing.TB, transport *Transport) *Transport {
	t.Helper()
	t.Cleanup(func() {
		if err := transport.Close(); err != nil {
			t.Error(err)
		}
	})
	return transport
}

// connect negotiates between two transports and returns the initiator's and the
// responder's connection.
func connect(t testing.TB, initiator, responder *Transport) (*Conn, *Conn) {
	t.Helper()
	a, b := newWires()
	return connectOver(t, initiator, responder, a, b)
}

func connectOver(t testing.TB, initiator, responder *Transport, a, b transport.Signaling) (*Conn, *Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	type result struct {
		conn net.Conn
		err  error
	}
	answered := make(chan result, 1)
	go func() {
		conn, err := responder.Negotiate(ctx, transport.Responder, b)
		answered <- result{conn, err}
	}()
	conn, err := initiator.Negotiate(ctx, transport.Initiator, a)
	if err != nil {
		cancel()
	}
	answer := <-answered
	if err != nil || answer.err != nil {
		t.Fatalf("initiator: %v, responder: %v", err, answer.err)
	}
	return conn.(*Conn), answer.conn.(*Conn)
}
