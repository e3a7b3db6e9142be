package websocket

import (
	"bufio"
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

func TestMore(t *testing.T) {
	masked := func(n int, extra ...byte) []byte { return append([]byte{0x82, 0x80 | byte(n)}, extra...) }
	mask := []byte{1, 2, 3, 4}
	for name, test := range map[string]struct {
		buffered []byte
		want     bool
	}{
		"nothing":               {nil, false},
		"one byte":              {[]byte{0x82}, false},
		"half a header":         {masked(5, 1, 2), false},
		"a header":              {masked(5, mask...), false},
		"a byte of the payload": {masked(5, append(mask, 'x')...), true},
		"half a long header":    {masked(126, 1, 0, 1, 2, 3, 4), false},
		"a long header":         {masked(126, 1, 0, 1, 2, 3, 4, 'x'), true},
		"a very long header":    {masked(127, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4, 'x'), true},
		"half of that":          {masked(127, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4), false},
		"without a mask":        {[]byte{0x82, 1, 'x'}, true},
		"a ping":                {[]byte{0x89, 1, 'x'}, false},
	} {
		buffered := bufio.NewReaderSize(bytes.NewReader(test.buffered), 64)
		buffered.Peek(len(test.buffered))
		if got := more(buffered); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if more(nil) {
		t.Error("there is more without a reader")
	}
}

// Messages that came together are read together.
func TestReadGluesMessages(t *testing.T) {
	l, err := New(Config{}).Listen(t.Context(), transport.Options{Host: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ws, _, err := websocket.DefaultDialer.Dial("ws://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	var together bytes.Buffer
	for _, message := range []string{"one", "two", "", "three"} {
		frame := append([]byte{0x82, 0x80 | byte(len(message)), 0, 0, 0, 0}, message...)
		together.Write(frame)
	}
	if _, err := ws.NetConn().Write(together.Bytes()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	if n, err := conn.Read(buf); err != nil || string(buf[:n]) != "onetwothree" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

// TestDataDoesNotWaitBehindAPing sends data and a ping together, and then
// nothing.
func TestDataDoesNotWaitBehindAPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := newPair(t, Config{PingInterval: -1})
		received := receive(peer)
		go peer.NetConn().Write(append(masked(0x82, "data"), masked(0x89, "ping")...))
		buf := make([]byte, 100)
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "data" {
			t.Errorf("read %q, %v", buf[:n], err)
		}
		c.Close()
		<-received
	})
}
