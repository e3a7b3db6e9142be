package memory_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports/memory"
	"github.com/peerexchange/peerexchange/pkg/transports/transport"
	"github.com/peerexchange/peerexchange/pkg/transports/transporttest"
)

// connect makes a connection from 10.0.0.1 to 10.0.0.2.
func connect(t *testing.T, config memory.Config) (dialed, accepted net.Conn) {
	t.Helper()
	network := memory.NewNetwork()
	config.Address = "10.0.0.2"
	l, err := network.New(config).Listen(t.Context(), transport.Options{Port: 8000})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	config.Address = "10.0.0.1"
	dialed, err = network.New(config).Dial(t.Context(), "10.0.0.2", transport.Options{Port: 8000})
	if err != nil {
		t.Fatal(err)
	}
	accepted, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	return dialed, accepted
}

func TestDeadlinesAreVirtual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connect(t, memory.Config{BufferSize: 10})
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Hour))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read: %v, want os.ErrDeadlineExceeded", err)
		}
		a.SetWriteDeadline(start.Add(2 * time.Hour))
		if n, err := a.Write(make([]byte, 11)); n != 10 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %d, %v; want 10, os.ErrDeadlineExceeded", n, err)
		}
		if passed := time.Since(start); passed != 2*time.Hour {
			t.Errorf("%v passed, want 2 h", passed)
		}
		if n, err := b.Read(make([]byte, 20)); n != 10 || err != nil {
			t.Errorf("Read by the other side = %d, %v; want 10, nil", n, err)
		}
	})
}

func TestBlocksDurably(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connect(t, memory.Config{BufferSize: 4})
		read := make(chan string)
		go func() {
			got, _ := io.ReadAll(b)
			read <- string(got)
		}()
		synctest.Wait()
		for _, piece := range []string{"first ", "second ", "third"} {
			time.Sleep(time.Minute)
			if _, err := a.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
		}
		a.Close()
		if got := <-read; got != "first second third" {
			t.Errorf("read %q", got)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write to a closed end: %v, want EPIPE", err)
		}
	})
}

func TestAddresses(t *testing.T) {
	dialed, accepted := connect(t, memory.Config{})
	if got := dialed.RemoteAddr().String(); got != "10.0.0.2:8000" {
		t.Errorf("dialed end is connected to %s, want 10.0.0.2:8000", got)
	}
	if host, _, _ := net.SplitHostPort(accepted.RemoteAddr().String()); host != "10.0.0.1" {
		t.Errorf("accepted end is connected to %s, want 10.0.0.1", host)
	}
	if dialed.LocalAddr().String() != accepted.RemoteAddr().String() {
		t.Errorf("one end is at %s, the other sees it at %s", dialed.LocalAddr(), accepted.RemoteAddr())
	}
}

func TestNegotiateInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork()
		a, b := transporttest.NewSignaling()
		asker := network.New(memory.Config{Address: "10.0.0.1"}).Negotiated()
		candidate := network.New(memory.Config{Address: "10.0.0.2"}).Negotiated()
		done := make(chan net.Conn)
		go func() {
			conn, err := asker.Negotiate(t.Context(), transport.Initiator, a)
			if err != nil {
				t.Error(err)
			}
			done <- conn
		}()
		responder, err := candidate.Negotiate(t.Context(), transport.Responder, b)
		if err != nil {
			t.Fatal(err)
		}
		defer responder.Close()
		initiator := <-done
		defer initiator.Close()
		for conn, want := range map[net.Conn]string{initiator: "10.0.0.2", responder: "10.0.0.1"} {
			if host, _, _ := net.SplitHostPort(conn.RemoteAddr().String()); host != want {
				t.Errorf("RemoteAddr is %s, want %s", conn.RemoteAddr(), want)
			}
		}
	})
}

func TestListenErrors(t *testing.T) {
	tr := memory.New(memory.Config{Address: "10.0.0.1"}).Direct()
	l, err := tr.Listen(t.Context(), transport.Options{Port: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := tr.Listen(t.Context(), transport.Options{Port: 1}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Listen on a port in use: %v, want EADDRINUSE", err)
	}
	if _, err := tr.Dial(t.Context(), "10.0.0.9", transport.Options{Port: 1}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial to nobody: %v, want ECONNREFUSED", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tr.Listen(ctx, transport.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Listen with a cancelled context: %v, want context.Canceled", err)
	}
}
