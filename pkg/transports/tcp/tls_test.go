package tcp_test

import (
	"io"
	"net"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports/internal/testca"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// listenTLS listens with a certificate for 127.0.0.1.
func listenTLS(t *testing.T, ca *testca.CA) (net.Listener, int) {
	t.Helper()
	l, err := tcp.New(tcp.Config{}).Listen(t.Context(), transport.Options{
		Host: "127.0.0.1", Secure: true, TLS: ca.Server(t, "127.0.0.1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, l.Addr().(*net.TCPAddr).Port
}

// acceptSilent accepts a connection whose other side never begins a handshake.
func acceptSilent(t *testing.T) net.Conn {
	t.Helper()
	l, _ := listenTLS(t, testca.New(t))
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestCloseEndsTheHandshake(t *testing.T) {
	conn := acceptSilent(t)
	read := make(chan error)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		read <- err
	}()
	conn.Close()
	if err := <-read; err == nil || err == io.EOF {
		t.Errorf("Read: %v, want an error", err)
	}
}

func TestTLSIsChecked(t *testing.T) {
	ca := testca.New(t)
	l, port := listenTLS(t, ca)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	defer func() { l.Close(); <-closed }()
	tr := tcp.New(tcp.Config{})
	for name, opts := range map[string]transport.Options{
		"another authority":        {Port: port, Secure: true, TLS: testca.New(t).Client()},
		"the system's authorities": {Port: port, Secure: true},
		"no port":                  {Secure: true, TLS: ca.Client()},
	} {
		if conn, err := tr.Dial(t.Context(), "127.0.0.1", opts); err == nil {
			conn.Close()
			t.Errorf("Dial with %s succeeds", name)
		}
	}
	if _, err := tr.Listen(t.Context(), transport.Options{Host: "127.0.0.1", Secure: true}); err == nil {
		t.Error("Listen with TLS and no certificate succeeds")
	}
}
