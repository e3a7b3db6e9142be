package websocket

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/websocket"
)

// newPair makes the accepting end of a connection, and gorilla's other end of
// it, in memory. Nothing is read on either.
func newPair(t *testing.T, config Config) (*Conn, *websocket.Conn) {
	t.Helper()
	a, b := net.Pipe()
	handler := NewHandler(a.LocalAddr(), config)
	go func() {
		r, err := http.ReadRequest(bufio.NewReader(a))
		if err != nil {
			t.Error(err)
			return
		}
		handler.ServeHTTP(hijackable{httptest.NewRecorder(), a}, r)
	}()
	dialer := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return b, nil }}
	peer, _, err := dialer.Dial("ws://pipe/", nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := handler.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close(); conn.Close() })
	return conn.(*Conn), peer
}

type hijackable struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// readAll reads until an error comes.
func readAll(c *Conn) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, c)
		done <- err
	}()
	return done
}

// receive reads until an error comes, and gives that.
func receive(peer *websocket.Conn) <-chan error {
	done := make(chan error, 1)
	go func() {
		for {
			if _, _, err := peer.ReadMessage(); err != nil {
				done <- err
				return
			}
		}
	}()
	return done
}

// countPings makes peer count what it is asked, and answer if it is to.
func countPings(peer *websocket.Conn, answer bool) *int {
	pings, pong := new(int), peer.PingHandler()
	peer.SetPingHandler(func(data string) error {
		*pings++
		if answer {
			return pong(data)
		}
		return nil
	})
	return pings
}
