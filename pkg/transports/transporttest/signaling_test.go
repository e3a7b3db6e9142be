package transporttest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"testing"
)

func TestSignalsBeforeTheEndArrive(t *testing.T) {
	a, b := NewSignaling()
	for _, signal := range []string{`{"n":1}`, `{"n":2}`} {
		if err := a.Send(t.Context(), json.RawMessage(signal)); err != nil {
			t.Fatal(err)
		}
	}
	a.Close()
	for _, want := range []string{`{"n":1}`, `{"n":2}`} {
		if got, err := b.Receive(t.Context()); err != nil || string(got) != want {
			t.Errorf("Receive = %s, %v; want %s", got, err, want)
		}
	}
	if _, err := b.Receive(t.Context()); err != io.EOF {
		t.Errorf("Receive after the end: %v, want io.EOF", err)
	}
	if err := b.Send(t.Context(), nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Send to a closed side: %v, want io.ErrClosedPipe", err)
	}
	if _, err := a.Receive(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Receive on a closed side: %v, want net.ErrClosed", err)
	}
}

func TestSignalingMindsItsContext(t *testing.T) {
	a, _ := NewSignaling()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Receive(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Receive: %v, want context.Canceled", err)
	}
	for range signalsBuffered {
		if err := a.Send(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Send(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Send: %v, want context.Canceled", err)
	}
}
